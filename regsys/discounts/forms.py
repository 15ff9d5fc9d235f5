"""Shape of what organizers type about a code."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, InputRequired, Optional, Regexp
from wtforms.widgets import CheckboxInput, ListWidget

from regsys.discounts.models import Code
from regsys.discounts.services import Plan
from regsys.events.models import Event
from regsys.kernel import money
from regsys.kernel.zones import moment, wall_time
from regsys.web.fields import LISTED, DayField, refuse
from regsys.web.forms import AtMost, BaseForm, Between

MOST_OFF = 99_999_999


def _number(label: Any, least: int, most: int, sentence: Any) -> IntegerField:
    kw = {"inputmode": "numeric", "min": least, "max": most}
    return IntegerField(label, (Optional(), Between(least, most, sentence)), render_kw=kw)


class CodeForm(BaseForm):
    """One code."""

    code = StringField(
        _l("The code"),
        (
            DataRequired(_l("Write the code, as people are to type it.")),
            AtMost(40),
            Regexp(r"[0-9A-Za-z-]+$", message=_l("Letters, digits and hyphens only, please.")),
        ),
        description=_l("Capital or small letters are the same. Choose one that nobody guesses."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters"},
    )
    note = StringField(_l("Who gets it, and why"), (AtMost(300),))
    kind = RadioField(
        _l("What it takes off each place"),
        (InputRequired(_l("Choose one.")),),
        choices=lambda: [("percent", _("A part, in percent")), ("amount", _("An amount"))],
        default="percent",
        **LISTED,
    )
    off = StringField(
        _l("How much"),
        (DataRequired(_l("Write how much.")), AtMost(20)),
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )
    uses = _number(
        _l("At most so many places"), 1, 5000, _l("Please write a whole number from 1 to 5000.")
    )
    min_group = _number(
        _l("Only for a group of so many"), 2, 10, _l("Please write a whole number from 2 to 10.")
    )
    once = BooleanField(_l("Each person once"))
    starts = DayField(_l("Valid from"), (Optional(),))
    ends = DayField(_l("Valid until"), (Optional(),))
    events = SelectMultipleField(
        _l("Where it counts"),
        (InputRequired(_l("Choose at least one event.")),),
        coerce=int,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        **LISTED,
    )

    def keep_name(self) -> "CodeForm":
        """Show the name as it is: people have it already."""
        self.code.description = _("People have it already, so it stays as it is.")
        self.code.render_kw = {**self.code.render_kw, "readonly": True}
        return self

    def read(self, event: Event, offered: Sequence[Event]) -> Plan | None:
        """Return what the verbs take, or None with what is wrong said at its field."""
        self.validate()
        percent = amount = None
        if self.off.errors:
            return None
        if self.kind.data == "percent":
            percent = self._percent()
        else:
            amount = self._amount(event.currency)
        start, end = self.starts.data, self.ends.data
        if start and end and end < start:
            refuse(self.ends, _("This day is before the first one."))
        chosen = [e for e in offered if e.id in (self.events.data or ())]
        if amount and any(e.currency != event.currency for e in chosen):
            refuse(self.events, _("An amount counts in events of one currency only."))
        if any(f.errors for f in self):
            return None
        return Plan(
            code=self.code.data or "",
            note=self.note.data or "",
            percent=percent,
            amount=amount,
            currency=event.currency if amount else "",
            uses=self.uses.data,
            min_group=self.min_group.data or 1,
            once=self.once.data,
            starts_at=_begin(start, event),
            ends_at=_begin(end + timedelta(days=1), event) if end else None,
            event_ids=[e.id for e in chosen],
        )

    def _percent(self) -> int | None:
        typed = (self.off.data or "").replace("%", "").strip()
        try:
            hundredths = Decimal(typed) * 100
        except InvalidOperation:
            hundredths = Decimal(0)
        if not 0 < hundredths <= 10000 or hundredths != hundredths.to_integral_value():
            refuse(self.off, _("Please write a number above 0 and up to 100, like 12.5."))
            return None
        return int(hundredths)

    def _amount(self, currency: str) -> int | None:
        try:
            amount = money.parse(self.off.data or "", currency)
        except ValueError:
            amount = 0
        if not 0 < amount <= MOST_OFF or amount % money.unit(currency):
            example = money.plain(5000, currency)
            refuse(self.off, _("Please write an amount, like %(example)s.", example=example))
            return None
        return amount


def _begin(day: date | None, event: Event) -> datetime | None:
    return moment(datetime.combine(day, time()), event.time_zone).at if day else None


def typed_of(code: Code, uses: int | None, event: Event) -> dict[str, Any]:
    """Return a stored code as the form shows it."""
    off = f"{(code.percent or 0) / 100:g}"
    if code.amount is not None:
        off = money.plain(code.amount, code.currency)
    last = code.ends_at - timedelta(days=1) if code.ends_at else None
    return {
        "code": code.code,
        "note": code.note,
        "kind": "amount" if code.amount is not None else "percent",
        "off": off,
        "uses": uses,
        "min_group": code.min_group if code.min_group > 1 else None,
        "once": code.once,
        "starts": wall_time(code.starts_at, event.time_zone).date() if code.starts_at else None,
        "ends": wall_time(last, event.time_zone).date() if last else None,
        "events": [e.id for e in code.events],
    }
