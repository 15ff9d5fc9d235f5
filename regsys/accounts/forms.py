"""Shape of what people type to sign in."""

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, HiddenField, PasswordField
from wtforms.validators import Email, InputRequired

from regsys.web.forms import AtMost, BaseForm

_ADDRESS = (
    InputRequired(_l("Please write your e-mail address.")),
    Email(_l("This does not look like an e-mail address.")),
    AtMost(254),
)
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
