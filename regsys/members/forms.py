"""Shapes of what members and organizers type."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import EmailField, HiddenField, RadioField, StringField
from wtforms.validators import Email, InputRequired, Optional

from regsys.web.forms import AtMost, BaseForm


class AskForm(BaseForm):
    """Somebody says that they are a member; `next` is where to go afterwards."""

    email = EmailField(
        _l("E-mail"),
        (
            InputRequired(_l("Please write your e-mail address.")),
            Email(_l("This does not look like an e-mail address.")),
            AtMost(254),
        ),
        description=_l("The one under which the society knows you."),
        render_kw={"autocomplete": "email", "inputmode": "email"},
    )
    number = StringField(
        _l("Member number"),
        (Optional(), AtMost(40)),
        description=_l("Only if two of you share an address."),
        render_kw={"autocomplete": "off"},
    )
    next = HiddenField()


class LinkForm(BaseForm):
    """Carries a mailed token from the GET to the POST that uses it."""

    token = HiddenField(validators=(InputRequired(), AtMost(100)))


class UploadForm(BaseForm):
    """An organizer brings a new list."""

    file = FileField(
        _l("The list"),
        (FileRequired(_l("Please choose a file.")),),
        description=_l(
            "CSV or XLSX, at most 2 MB. The first line names the columns: number, e-mail, valid until; "
            "name may be there too."
        ),
        render_kw={"accept": ".csv,.txt,.xlsx"},
    )
    whole = RadioField(
        _l("What is in it?"),
        (
            InputRequired(
                _l("Please choose."),
            ),
        ),
        choices=lambda: [
            ("yes", _l("All members: who is not in it is a member no longer")),
            ("no", _l("Some members: the others stay as they are")),
        ],
        default="yes",
        validate_choice=True,
    )


class TakeOverForm(BaseForm):
    """The yes to a list; `seen` says which list it was compared with."""

    seen = HiddenField(validators=(AtMost(100),))
