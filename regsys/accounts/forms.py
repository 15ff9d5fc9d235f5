"""Shape of what people type to sign in."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, HiddenField, PasswordField, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, Email, InputRequired

from regsys.accounts.kinds import Role
from regsys.kernel.text import N_
from regsys.web.forms import AtMost, BaseForm

_ADDRESS = (
    InputRequired(_l("Please write your e-mail address.")),
    Email(_l("This does not look like an e-mail address.")),
    AtMost(254),
)
WRONG_CHOICE: dict[str, Any] = {
    "invalid_value_message": _l("Please choose from the list."),
    "invalid_choice_message": _l("Please choose from the list."),
}
_USERNAME = {"autocomplete": "username", "inputmode": "email"}


class AskLinkForm(BaseForm):
    """Asks for a mailed link; `next` is where to go afterwards."""

    email = EmailField(_l("E-mail"), _ADDRESS, render_kw=_USERNAME)
    next = HiddenField()


class PasswordForm(BaseForm):
    """Signs in by password."""

    email = EmailField(_l("E-mail"), _ADDRESS, id="user", render_kw=_USERNAME)
    password = PasswordField(
        _l("Password"),
        (InputRequired(_l("Please write your password.")), AtMost(1000)),
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


class LinkForm(BaseForm):
    """Carries a mailed token from the GET to the POST that uses it."""

    token = HiddenField(validators=(InputRequired(), AtMost(100)))


class NewPasswordForm(LinkForm):
    """Sets a new password."""

    password = PasswordField(
        _l("New password"),
        (InputRequired(_l("Please write a new password.")), AtMost(1000)),
        description=_l("At least 12 characters. Three or four words are easy to remember."),
        render_kw={"autocomplete": "new-password", "minlength": 12},
    )


class RoleForm(BaseForm):
    """A role, and where it holds; the choices come by `build_role`."""

    role = RadioField(
        _l("What may they do?"),
        (InputRequired(_l("Please choose a role.")),),
        choices=lambda: [(r.value, _(words)) for r, words in GIVEN.items()],
        **WRONG_CHOICE,
    )
    event = SelectField(
        _l("Where?"),
        default="",
        **WRONG_CHOICE,
        description=_l("An owner is one for everything."),
    )

    @property
    def grant(self) -> tuple[Role, int | None]:
        """Return the role with its event, or None for all."""
        return Role(self.role.data), int(self.event.data) if self.event.data else None


class PersonForm(RoleForm):
    """Somebody new who signs in."""

    first_name = StringField(
        _l("First name"), (DataRequired(_l("Write the first name.")), AtMost(100))
    )
    last_name = StringField(
        _l("Last name"), (DataRequired(_l("Write the last name.")), AtMost(100))
    )
    email = EmailField(_l("E-mail"), _ADDRESS, render_kw={"autocomplete": "off"})


# Leaders have their role from the event that they lead, and the others from where they are needed.
GIVEN: Mapping[Role, str] = {
    Role.REGISTRAR: N_("Registrar: events, forms, registrations, applications, mail, exports"),
    Role.REVIEWER: N_("Reviewer: reads applications, notes and scores them, decides"),
    Role.TREASURER: N_("Treasurer: money, and no answers"),
    Role.STEWARD: N_("Steward: what people ask to be kept apart"),
    Role.COMMITTEE: N_("Committee: decides about help with the fee, without knowing who asks"),
    Role.OWNER: N_("Owner: everything, people and roles too"),
}


def build_role(form: RoleForm, titles: Mapping[int, str]) -> None:
    """Let a role be given for one of these events, or for all."""
    form.event.choices = [("", _("For all events")), *((str(i), t) for i, t in titles.items())]
