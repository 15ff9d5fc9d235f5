"""Shapes of what people, the committee and the treasurer type about help with the fee."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    Field,
    IntegerField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from regsys.aid.models import Fund
from regsys.aid.services import Plan
from regsys.events.models import Event
from regsys.kernel import money
from regsys.web.fields import LISTED
from regsys.web.forms import AtMost, BaseForm, Between

LARGEST = 2_000_000_000
DECIMAL = {"inputmode": "decimal", "autocomplete": "off"}


def read_amount(field: Field, currency: str) -> int | None:
    """Read an amount above nothing; say at its field what is wrong."""
    if field.errors or not field.data:
        return None
    try:
        amount = money.parse(field.data, currency)
    except ValueError:
        amount = 0
    if not 0 < amount <= LARGEST:
        example = money.plain(5000, currency)
        field.errors = [
            *field.errors,
            _("Please write an amount, like %(example)s.", example=example),
        ]
        return None
    return amount


class AskForm(BaseForm):
    """What somebody writes for the committee."""

    words = TextAreaField(
        _l("Why would help make the difference?"),
        (DataRequired(_l("Write a few words: they are all that the committee has.")), AtMost(4000)),
        description=_l(
            "A few sentences are enough. Please leave out your name and where you work: "
            "the committee decides without knowing who you are."
        ),
        render_kw={"rows": 6},
    )
    amount = StringField(
        _l("How much would help?"),
        (Optional(), AtMost(20)),
        description=_l("Part of the fee, or all of it. Leave it empty for whatever is possible."),
        render_kw=DECIMAL,
    )


class AwardForm(BaseForm):
    """How much the committee gives."""

    amount = StringField(
        _l("How much is given"),
        (DataRequired(_l("Write how much.")), AtMost(20)),
        render_kw=DECIMAL,
    )


class FundForm(BaseForm):
    """One fund."""

    name = StringField(_l("Name"), (DataRequired(_l("Write a name.")), AtMost(120)))
    budget = StringField(
        _l("Budget"),
        (DataRequired(_l("Write how much is set aside.")), AtMost(20)),
        render_kw=DECIMAL,
    )
    answer_days = IntegerField(
        _l("The committee answers within so many days"),
        (
            InputRequired(_l("Write a number.")),
            Between(1, 90, _l("Please write a whole number from 1 to 90.")),
        ),
        default=14,
        render_kw={"inputmode": "numeric"},
    )
    delete_after_days = IntegerField(
        _l("What people write is deleted so many days after the event"),
        (
            InputRequired(_l("Write a number.")),
            Between(0, 3650, _l("Please write a whole number from 0 to 3650.")),
        ),
        default=30,
        description=_l("And so many days after a no, or after a request that was taken back."),
        render_kw={"inputmode": "numeric"},
    )
    open = BooleanField(_l("It can be asked now"), default=True)
    events = SelectMultipleField(
        _l("For these events only"),
        coerce=int,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_l("Tick none, and the fund serves all of them."),
        **LISTED,
    )

    def read(self, currency: str) -> Plan | None:
        """Return what the verbs take, or None with what is wrong said at its field."""
        self.validate()
        budget = read_amount(self.budget, currency)
        if budget is None or any(f.errors for f in self):
            return None
        return Plan(
            name=self.name.data or "",
            budget=budget,
            currency=currency,
            open=bool(self.open.data),
            answer_days=self.answer_days.data or 14,
            delete_after_days=self.delete_after_days.data or 0,
            event_ids=self.events.data or (),
        )


def offer(form: FundForm, events: Sequence[Event]) -> None:
    """Put the events into the form that a fund can serve."""
    form.events.choices = [(e.id, e.title) for e in events]


def typed_of(fund: Fund) -> dict[str, Any]:
    """Return a stored fund as the form shows it."""
    return {
        "name": fund.name,
        "budget": money.plain(fund.budget, fund.currency),
        "answer_days": fund.answer_days,
        "delete_after_days": fund.delete_after_days,
        "open": fund.open,
        "events": [e.id for e in fund.events],
    }
