"""The refund rules of an event, and a trial of them."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    Field,
    FieldList,
    FormField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired

from regsys.events.forms.deposits import DepositFields, deposit_data
from regsys.events.models import Event
from regsys.kernel import money
from regsys.policies.presets import PRESETS
from regsys.policies.rules import (
    Ahead,
    Allowed,
    Back,
    Carried,
    Credit,
    Room,
    Step,
    Substitute,
    Taker,
    Terms,
    Transfer,
)
from regsys.policies.rules.terms import END_OF_DAY
from regsys.web.fields import (
    LISTED,
    AmountField,
    DayField,
    HourField,
    Row,
    VersionedForm,
    refuse,
    whole,
)
from regsys.web.forms import AtMost

MOST_ROWS = 12
MONEY = {"inputmode": "decimal", "autocomplete": "off"}
# What a row is about.
ALL, PROGRAMME, ROOM, RELEASED = "all", "programme", "room", "released"


def _amount(label: Any, **more: Any) -> AmountField:
    return AmountField(label, (AtMost(20),), render_kw=MONEY, **more)


def _allowed(label: Any) -> SelectField:
    choices = [
        (Allowed.NO.value, _l("No")),
        (Allowed.APPROVAL.value, _l("If we agree")),
        (Allowed.FREE.value, _l("Yes")),
    ]
    return SelectField(label, choices=lambda: choices, **LISTED)


class StepRow(Row):
    """One rule: so long before, so much comes back; an empty row is none."""

    months = whole(_l("Months before"), 0, 60)
    days = whole(_l("Days before"), 0, 1500)
    percent = whole(_l("Percent"), 0, 100)
    minus = _amount(_l("Less a flat fee"))
    venue = BooleanField(_l("Less what the house charges"))
    part = SelectField(
        _l("Of"),
        choices=lambda: [
            (ALL, _l("Everything")),
            (PROGRAMME, _l("Taking part")),
            (ROOM, _l("The room")),
            (RELEASED, _l("The room, if the house releases it")),
        ],
        **LISTED,
    )
    remove = BooleanField(_l("Remove"))

    def counts(self) -> bool:
        """Tell whether something was typed, and nothing says that it should go."""
        typed = (self.months.data, self.days.data, self.percent.data)
        return not self.remove.data and any(x is not None for x in typed)

    def step(self, currency: str) -> Step:
        """Return the rule; complain at what is no amount."""
        if self.percent.data is None:
            refuse(self.percent, _("Please write how much comes back; 0 for nothing."))
        return Step(
            Ahead(self.months.data or 0, self.days.data or 0),
            Back(self.percent.data or 0, read_amount(self.minus, currency), self.venue.data),
            self.part.data == RELEASED,
        )


def read_amount(field: AmountField, currency: str) -> int:
    """Return what was typed in minor units, 0 for nothing; complain at what cannot be paid out."""
    amount = field.minor_units(currency) or 0
    if amount % money.unit(currency):
        refuse(field, _("The last decimal has to be 0 in this currency."))
    return min(amount, 10**11)


@dataclass(frozen=True)
class Trial:
    """What somebody is tried with: who paid so much and cancels on that day, at noon."""

    paid: int
    room: int
    on: date
    taken: bool

    @property
    def wall(self) -> datetime:
        return datetime.combine(self.on, time(12))


class RefundsForm(DepositFields, VersionedForm):
    """What comes back, and until when."""

    preset = SelectField(
        _l("Begin with"),
        choices=lambda: (
            [("", _l("What stands below"))]
            + [(name, _(title)) for name, (title, _body) in PRESETS.items()]
        ),
        **LISTED,
    )
    title = StringField(
        _l("What you call these rules"), (InputRequired(_l("Please fill this in.")), AtMost(120))
    )
    steps = FieldList(FormField(StepRow), max_entries=MOST_ROWS)
    hour = HourField(
        _l("Time of day"),
        description=_l("A deadline ends at it; left empty, at the end of the day."),
    )
    utc = BooleanField(_l("Deadlines are in UTC, not in the event’s time zone"))
    refilled = whole(
        _l("Percent, if somebody takes the place"),
        0,
        100,
        description=_l("Also when it is too late otherwise. Left empty, it makes no difference."),
    )
    refilled_minus = _amount(_l("Less a flat fee"))
    deposit = _amount(
        _l("Deposit that never comes back"),
        description=_l("Except when somebody takes the place, or when you call the event off."),
    )
    venue = _amount(
        _l("What the house charges for one person"),
        description=_l("Taken off where a rule above says so."),
    )
    begun = whole(_l("Percent, once it has begun"), 0, 100)
    no_show = whole(_l("Percent for somebody who did not come"), 0, 100)
    substitute = _allowed(_l("May a colleague take the place?"))
    substitute_days = whole(_l("Until how many days before?"), 0, 1500)
    substitute_fee = _amount(_l("For a fee of"))
    taker = SelectField(
        _l("Who may?"),
        choices=lambda: [
            (Taker.ANYONE.value, _l("Anybody")),
            (Taker.EMPLOYER_PAID.value, _l("Anybody, where somebody else paid")),
            (Taker.SAME_WORKPLACE.value, _l("Somebody of the same workplace")),
        ],
        **LISTED,
    )
    transfer = _allowed(_l("May one move to another event?"))
    transfer_days = whole(_l("Until how many days before?"), 0, 1500)
    transfer_fee = _amount(_l("For a fee of"))
    transfer_months = whole(_l("To an event within how many months?"), 1, 60)
    transfer_times = whole(_l("How often?"), 1, 20)
    credit = whole(_l("Months for which what is kept counts for another event"), 0, 60)
    credited = SelectField(
        _l("What counts?"),
        choices=lambda: [
            (Carried.DEPOSIT.value, _l("The deposit")),
            (Carried.WHAT_IS_KEPT.value, _l("All that is kept")),
        ],
        **LISTED,
    )
    note = TextAreaField(
        _l("In your own words"),
        (AtMost(3000),),
        description=_l(
            "It stands below the table, and stays with the registration as the rules do."
        ),
        render_kw={"rows": 3},
    )
    paid = _amount(_l("Somebody who paid"))
    paid_room = _amount(_l("of it for the room"))
    on = DayField(_l("cancels on"))
    taken = BooleanField(_l("and somebody takes the place"))

    @classmethod
    def of(cls, event: Event, terms: Terms, title: str) -> "RefundsForm":
        """Return the form of an event's rules; on a POST what was typed comes first."""
        return cls(version=event.version, title=title, **_fields_of(terms, event.currency))

    def show(self, terms: Terms, event: Event) -> "RefundsForm":
        """Return a form that shows other rules; nothing else of what was typed is lost."""
        made = RefundsForm(
            formdata=None, title=self.title.data, **_fields_of(terms, event.currency)
        )
        made.renew(self.version.data or event.version)
        return made

    def add_row(self) -> None:
        """Add an empty rule."""
        if len(self.steps) < MOST_ROWS:
            self.steps.append_entry()

    def read_terms(self, currency: str) -> Terms | None:
        """Return the rules; None, with sentences at the fields, where they are none."""
        rows = [r.form for r in self.steps if r.form.counts()]
        steps = [(r.part.data, r.step(currency)) for r in rows]
        own = any(part != ALL for part, _step in steps)
        try:
            return self._terms(
                currency,
                tuple(s for part, s in steps if part in (ALL, PROGRAMME)),
                Room(tuple(s for part, s in steps if part != PROGRAMME)) if own else None,
            )
        except ValueError:
            # Each field has its bounds; what is left is the order of the rules.
            field: Field = self.steps[0].form.days
            refuse(field, _("The rules begin with the longest time before; no two are the same."))
            return None

    def _terms(self, currency: str, steps: tuple[Step, ...], room: Room | None) -> Terms:
        refilled = None
        if self.refilled.data is not None:
            refilled = Back(self.refilled.data, read_amount(self.refilled_minus, currency))
        return Terms(
            steps=steps,
            room=room,
            refilled=refilled,
            deposit=read_amount(self.deposit, currency),
            venue=read_amount(self.venue, currency),
            begun=Back(self.begun.data or 0),
            no_show=Back(self.no_show.data or 0),
            substitute=Substitute(
                Allowed(self.substitute.data),
                Ahead(days=self.substitute_days.data or 0),
                read_amount(self.substitute_fee, currency),
                Taker(self.taker.data),
            ),
            transfer=Transfer(
                Allowed(self.transfer.data),
                Ahead(days=self.transfer_days.data or 0),
                read_amount(self.transfer_fee, currency),
                self.transfer_times.data or 1,
                self.transfer_months.data or 12,
            ),
            credit=Credit(self.credit.data or 0, Carried(self.credited.data)),
            down=self.read_down(currency),
            time=f"{self.hour.data:%H:%M}" if self.hour.data else END_OF_DAY,
            zone="UTC" if self.utc.data else "",
            note=self.note.data or "",
        )

    def trial(self, currency: str) -> Trial | None:
        """Return what is to be tried; None, with sentences at the fields, where something is missing."""
        paid, room = read_amount(self.paid, currency), read_amount(self.paid_room, currency)
        if not paid and not self.paid.errors:
            refuse(self.paid, _("Please write what was paid."))
        if room > paid:
            refuse(self.paid_room, _("That is more than was paid in all."))
        if self.on.data is None:
            refuse(self.on, _("Please write a day."))
        if self.is_wrong or self.on.data is None:
            return None
        return Trial(paid, room, self.on.data, self.taken.data)

    @property
    def is_wrong(self) -> bool:
        """Tell whether something was said at a field, also of a row."""
        return any(f.errors for f in self if f.name != "steps") or any(
            f.errors for row in self.steps for f in row.form
        )


def _fields_of(terms: Terms, currency: str) -> dict[str, Any]:
    def typed(amount: int) -> str:
        return money.plain(amount, currency) if amount else ""

    again = terms.refilled
    return {
        "steps": _rows_of(terms, typed),
        "hour": None if terms.time == END_OF_DAY else time.fromisoformat(terms.time),
        "utc": terms.zone == "UTC",
        "refilled": again.percent if again else None,
        "refilled_minus": typed(again.minus) if again else "",
        "deposit": typed(terms.deposit),
        "venue": typed(terms.venue),
        "begun": terms.begun.percent or None,
        "no_show": terms.no_show.percent or None,
        "substitute": terms.substitute.allowed.value,
        "substitute_days": terms.substitute.until.days or None,
        "substitute_fee": typed(terms.substitute.fee),
        "taker": terms.substitute.taker.value,
        "transfer": terms.transfer.allowed.value,
        "transfer_days": terms.transfer.until.days or None,
        "transfer_fee": typed(terms.transfer.fee),
        "transfer_months": terms.transfer.within_months,
        "transfer_times": terms.transfer.times,
        "credit": terms.credit.months or None,
        "credited": terms.credit.what.value,
        "note": terms.note,
        **deposit_data(terms, currency),
    }


def _rows_of(terms: Terms, typed: Any) -> list[dict[str, Any]]:
    """Return the rows of the form: a rule that both lists have is one for everything."""
    room = list(terms.room.steps) if terms.room else []
    both = {s for s in terms.steps if terms.room is None or (s in room and not s.released)}
    rows = [(ALL if s in both else PROGRAMME, s) for s in terms.steps]
    rows += [(RELEASED if s.released else ROOM, s) for s in room if s not in both]
    return [
        {
            "months": s.ahead.months or None,
            "days": s.ahead.days,
            "percent": s.back.percent,
            "minus": typed(s.back.minus),
            "venue": s.back.venue,
            "part": part,
        }
        for part, s in rows
    ]
