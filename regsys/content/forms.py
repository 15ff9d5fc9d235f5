"""Shape of what people write to the society, and of its pages."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Email, InputRequired, Optional

from regsys.content.kinds import InquiryKind
from regsys.content.rules import ASKS
from regsys.web.forms import AtMost, BaseForm, Between


class ContactForm(BaseForm):
    """What somebody writes; `started` is signed and says when the form was opened, `trap` stays empty."""

    name = StringField(
        _l("Your name"),
        (DataRequired(_l("Please write your name.")), AtMost(200)),
        render_kw={"autocomplete": "name"},
    )
    email = EmailField(
        _l("Your e-mail"),
        (
            DataRequired(_l("Please write your e-mail address, so that we can answer.")),
            Email(_l("This does not look like an e-mail address."), allow_smtputf8=False),
            AtMost(254),
        ),
        render_kw={"autocomplete": "email", "inputmode": "email"},
    )
    phone = TelField(
        _l("Phone, if you would rather be rung"),
        (Optional(), AtMost(40)),
        render_kw={"autocomplete": "tel", "inputmode": "tel"},
    )
    organisation = StringField(
        _l("Organisation"), (AtMost(200),), render_kw={"autocomplete": "organization"}
    )
    place = StringField(_l("Town"), (AtMost(200),), render_kw={"autocomplete": "address-level2"})
    people = IntegerField(
        _l("How many people"),
        (Between(1, 100_000, _l("Please write a number of people, like 12.")),),
        render_kw={"inputmode": "numeric", "min": 1},
    )
    wished_dates = StringField(_l("A few possible dates"), (AtMost(300),))
    message = TextAreaField(
        _l("Your message"),
        (DataRequired(_l("Please write a message.")), AtMost(5000)),
        description=_l("Please write nothing about a patient."),
        render_kw={"rows": 7},
    )
    trap = StringField(
        _l("Leave this field empty"), render_kw={"tabindex": "-1", "autocomplete": "off"}
    )
    started = HiddenField()


_MISSING = {
    "organisation": _l("Please write the name of your organisation."),
    "place": _l("Please write the town."),
    "people": _l("Please write how many people it is for."),
}


def contact_form(kind: InquiryKind, **defaults: Any) -> ContactForm:
    """Return the form with the fields that this kind asks for."""
    form = ContactForm(**defaults)
    asked = ASKS[kind]
    for name in ("organisation", "place", "people", "wished_dates"):
        if name not in asked:
            delattr(form, name)
            continue
        field = form[name]
        first = DataRequired(_MISSING[name]) if asked[name] else Optional()
        field.validators = (first, *field.validators)
        field.flags.required = asked[name]
    return form


class PageForm(BaseForm):
    """A page in Markdown; `seen` says which version the editor began with."""

    title = StringField(_l("Title"), (DataRequired(_l("Please write a title.")), AtMost(200)))
    slug = StringField(
        _l("Address"),
        (AtMost(80),),
        description=_l("The last part of the link. Left empty, it is made from the title."),
    )
    summary = StringField(
        _l("In one line"), (AtMost(300),), description=_l("Stands under the title and in lists.")
    )
    body = TextAreaField(
        _l("Text"),
        (AtMost(20_000),),
        description=_l(
            "Markdown: ## for a heading, * for emphasis, - for a list, [words](/address) for a link."
        ),
        render_kw={"rows": 18},
    )
    parent_id = SelectField(_l("Belongs to"), coerce=int)
    in_menu = BooleanField(_l("Show it in the menu"))
    published = BooleanField(_l("Show it to everyone"))
    seen = HiddenField()


class NewsForm(BaseForm):
    """An item of news in Markdown."""

    title = StringField(_l("Title"), (DataRequired(_l("Please write a title.")), AtMost(200)))
    slug = StringField(
        _l("Address"),
        (AtMost(80),),
        description=_l("The last part of the link. Left empty, it is made from the title."),
    )
    published_on = DateField(
        _l("Shown from"), (InputRequired(_l("Please choose a date.")),), render_kw={"type": "date"}
    )
    body = TextAreaField(
        _l("Text"),
        (DataRequired(_l("Please write a text.")), AtMost(20_000)),
        description=_l("Markdown, as on pages."),
        render_kw={"rows": 12},
    )
    event_id = SelectField(_l("About the event"), coerce=int)
    published = BooleanField(_l("Show it to everyone from that day on"))


class InquiryForm(BaseForm):
    """What an organizer notes about an inquiry."""

    note = TextAreaField(
        _l("Note"),
        (AtMost(5000),),
        description=_l("Who answered, and what was agreed. Only organizers see it."),
        render_kw={"rows": 5},
    )
