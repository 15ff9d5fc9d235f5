"""Places and prices: how many, for whom, at what price, until when."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FieldList, FormField, SelectField, StringField
from wtforms.validators import InputRequired

from regsys.capacity.models import PoolKind
from regsys.events.kinds import GROUP_KINDS, NAMES, InvoiceTerms, Proof, Rate
from regsys.events.models import Event, TicketType
from regsys.events.queries import PoolSizes, price_of
from regsys.events.services import PlacesPlan, TypePlan
from regsys.kernel import money
from regsys.kernel.zones import wall_time
from regsys.web.fields import (
    LISTED,
    AmountField,
    Row,
    VersionedForm,
    Wall,
    WallField,
    id_of,
    refuse,
    row_id,
    whole,
)
from regsys.web.forms import AtMost

MOST_ROWS = 40
NEEDED = InputRequired(_l("Please fill this in."))
MONEY = {"inputmode": "decimal", "autocomplete": "off"}
CURRENCIES = sorted(money.MINIMUM_CHARGE.keys() | money.THREE_DECIMALS)
# A sum that Stripe takes in every currency: eight digits of minor units.
MOST_MONEY = 99_999_999


class TypeRow(Row):
    """One ticket type; an empty row is none."""

    row = row_id()
    name = StringField(_l("Who is it for?"), (AtMost(120),))
    description = StringField(_l("A few words more"), (AtMost(300),))
    early = AmountField(_l("Early price"), (AtMost(20),), render_kw=MONEY)
    regular = AmountField(_l("Price"), (AtMost(20),), render_kw=MONEY)
    room = AmountField(_l("Of it for a room"), (AtMost(20),), render_kw=MONEY)
    size = whole(_l("At most"))
    circle = SelectField(
        _l("Circle"),
        choices=lambda: [
            ("", _l("No matter")),
            (PoolKind.INNER_CIRCLE.value, _l("Inner circle")),
            (PoolKind.OUTER_CIRCLE.value, _l("Outer circle")),
        ],
        default="",
        **LISTED,
    )
    proof = SelectField(
        _l("What has to be shown"),
        choices=lambda: [(p.value, _(NAMES[p])) for p in (Proof.NONE, Proof.MEMBER)],
        default=Proof.NONE.value,
        **LISTED,
    )
    on_sale = BooleanField(_l("On sale"), default=True)
    remove = BooleanField(_l("Remove"))

    def counts(self) -> bool:
        """Tell whether something was typed, and nothing says that it should go."""
        return not self.remove.data and bool(self.name.data or self.regular.data or self.early.data)

    def plan(self, currency: str) -> TypePlan:
        """Return what `set_places` takes; complain at what is missing or no amount."""
        if not self.name.data:
            refuse(self.name, _("Please fill this in."))
        if not self.regular.data:
            refuse(self.regular, _("Please write a price; 0 for free."))
        early, regular = (f.minor_units(currency) for f in (self.early, self.regular))
        room = self.room.minor_units(currency) or 0
        for field, amount in ((self.early, early), (self.regular, regular)):
            if amount and amount > MOST_MONEY:
                refuse(field, _("That is more than can be charged at once."))
        return TypePlan(
            id=id_of(self.row),
            name=self.name.data or "",
            description=self.description.data or "",
            early=early,
            regular=regular or 0,
            size=self.size.data,
            room_part=min(room, MOST_MONEY),
            circle=next((kind for kind in PoolKind if kind.value == self.circle.data), None),
            proof=next((p for p in Proof if p.value == self.proof.data), Proof.NONE),
            on_sale=self.on_sale.data,
        )


class PlacesForm(VersionedForm):
    """What is for sale, and when."""

    total = whole(
        _l("How many places are there in all?"),
        description=_l("Left empty, places never run out."),
    )
    currency = SelectField(
        _l("Currency"),
        (NEEDED,),
        choices=lambda: [(c, c) for c in CURRENCIES],
        **LISTED,
    )
    types = FieldList(FormField(TypeRow), max_entries=MOST_ROWS)
    early_until = WallField(
        _l("Early prices until"), description=_l("That moment is already the regular price.")
    )
    early_first = whole(
        _l("Early prices for the first"),
        description=_l("So many people. Where both are filled in, both must hold."),
    )
    inner = whole(_l("Places in the inner circle"))
    outer = whole(_l("Places in the outer circle"))
    opens = WallField(_l("Registration opens"), description=_l("Left empty, at once."))
    closes = WallField(_l("Registration closes"), description=_l("Left empty, at the start."))
    minimum = whole(_l("People needed for it to take place"), 0, 5000)
    join_meetings = whole(
        _l("Newcomers may join until this meeting is over"),
        0,
        99,
        description=_l("Its number; 0 or empty: only before the first meeting."),
    )
    pro_rata = BooleanField(_l("Whoever joins later pays for the meetings that are left"))
    invoices = SelectField(
        _l("May an employer pay by invoice?"),
        choices=lambda: [
            (InvoiceTerms.NONE.value, _l("No")),
            (InvoiceTerms.CONFIRMED.value, _l("Yes, and the place is confirmed at once")),
            (InvoiceTerms.HELD.value, _l("Yes, and the place is held until it is paid")),
        ],
        default=InvoiceTerms.NONE.value,
        **LISTED,
    )
    invoice_days = whole(_l("Days to pay an invoice"), 1, 180)
    decide = WallField(_l("Decided on"), description=_l("You are reminded two weeks before."))

    @classmethod
    def of(cls, event: Event, sizes: PoolSizes) -> "PlacesForm":
        """Return the form of an event; on a POST what was typed comes first."""
        zone = event.time_zone
        moments = {
            "early_until": event.early_until,
            "opens": event.opens_at,
            "closes": event.closes_at,
            "decide": event.decide_at,
        }
        form = cls(
            version=event.version,
            total=sizes.total,
            currency=event.currency,
            types=[_row(t, event, sizes) for t in event.ticket_types],
            early_first=sizes.early,
            inner=sizes.inner,
            outer=sizes.outer,
            minimum=event.minimum,
            join_meetings=event.join_meetings,
            pro_rata=event.pro_rata,
            invoices=event.invoices.value,
            invoice_days=event.invoice_days,
            **{k: wall_time(at, zone) if at else None for k, at in moments.items()},
        )
        if event.currency not in CURRENCIES:
            form.currency.choices = [(c, c) for c in (*CURRENCIES, event.currency)]
        return form

    def add_row(self) -> None:
        """Add an empty ticket type."""
        if len(self.types) < MOST_ROWS:
            self.types.append_entry()

    def validate(self, extra_validators: Any = None) -> bool:
        fine = super().validate(extra_validators)
        self.plans = [r.form.plan(self.currency.data) for r in self.types if r.form.counts()]
        return fine and not any(f.errors for row in self.types for f in row.form)

    def facts(self, event: Event) -> tuple[PlacesPlan, list[str]]:
        """Return what `set_places` takes, and what the clocks did to the times."""
        wall = Wall(event.time_zone)
        plan = PlacesPlan(
            currency=self.currency.data,
            total=self.total.data,
            inner=self.inner.data,
            outer=self.outer.data,
            early_first=self.early_first.data,
            early_until=wall.maybe(self.early_until.data, event.early_until),
            opens_at=wall.maybe(self.opens.data, event.opens_at),
            closes_at=wall.maybe(self.closes.data, event.closes_at),
            minimum=self.minimum.data or None,
            join_meetings=self.join_meetings.data or 0 if event.kind in GROUP_KINDS else 0,
            pro_rata=bool(self.pro_rata.data) and event.kind in GROUP_KINDS,
            decide_at=wall.maybe(self.decide.data, event.decide_at),
            invoices=InvoiceTerms(self.invoices.data),
            invoice_days=self.invoice_days.data or 30,
            types=self.plans,
        )
        return plan, wall.remarks


def _row(ticket_type: TicketType, event: Event, sizes: PoolSizes) -> dict[str, Any]:
    circle = sizes.circle_of.get(ticket_type.id)
    return {
        "row": ticket_type.id,
        "name": ticket_type.name,
        "description": ticket_type.description,
        "early": _typed(price_of(ticket_type, Rate.EARLY), event.currency),
        "regular": _typed(price_of(ticket_type, Rate.REGULAR), event.currency),
        "room": _typed(ticket_type.room_part or None, event.currency),
        "size": sizes.size_of.get(ticket_type.id),
        "circle": circle.value if circle else "",
        "proof": ticket_type.proof.value,
        "on_sale": ticket_type.on_sale,
    }


def _typed(amount: int | None, currency: str) -> str:
    return "" if amount is None else money.plain(amount, currency)
