"""Shapes of what people type on the way to the waiting list, and of what organizers do with it."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField, SelectField, SelectMultipleField, StringField
from wtforms.fields import EmailField
from wtforms.validators import DataRequired, Email, InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from regsys.events.services import WaitingPlan
from regsys.kernel.zones import names
from regsys.registration.services import Person
from regsys.waitlist.rules import MOST_PLACES
from regsys.waitlist.services import Wish
from regsys.web.forms import AtMost, BaseForm, Between

WRONG_CHOICE: dict[str, Any] = {
    "invalid_value_message": _l("Please choose from the list."),
    "invalid_choice_message": _l("Please choose from the list."),
}


class JoinForm(BaseForm):
    """Who waits, for how many places of which kinds."""

    first_name = StringField(
        _l("First name"),
        [DataRequired(_l("Write your first name.")), AtMost(100)],
        render_kw={"autocomplete": "given-name"},
    )
    last_name = StringField(
        _l("Last name"),
        [DataRequired(_l("Write your last name.")), AtMost(100)],
        render_kw={"autocomplete": "family-name"},
    )
    email = EmailField(
        _l("E-mail"),
        [
            DataRequired(_l("Write the e-mail address.")),
            AtMost(254),
            Email(_l("This is not a whole e-mail address, like name@example.org.")),
        ],
        render_kw={"autocomplete": "email", "inputmode": "email"},
    )
    profession = StringField(
        _l("Your profession"),
        [DataRequired(_l("Write your profession.")), AtMost(120)],
        render_kw={"autocomplete": "organization-title", "list": "professions"},
    )
    size = SelectField(
        _l("How many places do you need?"),
        [InputRequired(_l("Choose how many."))],
        coerce=int,
        choices=lambda: [(n, str(n)) for n in range(1, MOST_PLACES + 1)],
        default=1,
        **WRONG_CHOICE,
    )
    time_zone = SelectField(
        _l("Your time zone"),
        [Optional()],
        choices=lambda: [
            ("", _("The one of the event")),
            *((z, z.replace("_", " ")) for z in names()),
        ],
        default="",
        **WRONG_CHOICE,
    )
    types = SelectMultipleField(
        _l("Which places would you take?"),
        [InputRequired(_l("Choose at least one kind of place."))],
        description=_l(
            "Tick every kind that you would take: the first that comes free is offered to you."
        ),
        coerce=int,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        **WRONG_CHOICE,
    )

    @property
    def wish(self) -> Wish:
        return Wish(
            Person(self.first_name.data or "", self.last_name.data or "", self.email.data or ""),
            self.profession.data or "",
            self.types.data or [],
            self.size.data,
            self.time_zone.data or "",
        )


def build_join(types: Sequence[tuple[int, str]]) -> JoinForm:
    """Return the form for these ticket types; where there is only one, nobody is asked for it."""
    form = JoinForm()
    form.types.choices = list(types)
    if len(types) == 1:
        form.types.data = [types[0][0]]
    return form


class SkipForm(BaseForm):
    """An organizer passes somebody over."""

    note = StringField(
        _l("Why, for you and the other organizers"),
        [DataRequired(_l("Say why, in a few words.")), AtMost(500)],
    )


class RemoveForm(BaseForm):
    """An organizer takes somebody off the list; the reason goes into the letter."""

    reason = StringField(
        _l("Why"),
        [DataRequired(_l("Say why; the person reads it in their letter.")), AtMost(500)],
    )


def _keep(label: Any) -> Any:
    wrong = _l("A number from 0 to 4, please.")
    return IntegerField(label, [Between(0, 4, wrong)], default=0)


class ListForm(BaseForm):
    """How an event's list works."""

    waitlist = BooleanField(_l("People may wait when it is full"))
    offer_hours = IntegerField(
        _l("Hours to answer an offer"),
        [Between(1, 336, _l("A number of hours from 1 to 336, please."))],
        description=_l("Less as the event comes near: never more than a third of the time left."),
    )
    keep_physicians = _keep(_l("Physicians"))
    keep_mental_health = _keep(_l("Mental-health professionals"))

    @property
    def plan(self) -> WaitingPlan:
        return WaitingPlan(
            self.waitlist.data,
            self.offer_hours.data or 0,
            self.keep_physicians.data or 0,
            self.keep_mental_health.data or 0,
        )
