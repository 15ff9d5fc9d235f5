"""Shapes of what people type on the way to a place."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField
from wtforms.fields import EmailField, TelField
from wtforms.validators import DataRequired, Email, InputRequired, Optional, Regexp

from regsys.registration.rules import MOST_PLACES
from regsys.web.forms import AtMost, BaseForm

PHONE = r"\+?[0-9\s()./-]{5,30}(\s*(x|ext\.?)\s*[0-9]{1,6})?$"


def text(label: Any, length: int, autocomplete: str, *, wanted: Any = None, **more: Any) -> Any:
    """Return one line of text; `wanted` is the sentence where it must be filled in."""
    first = DataRequired(wanted) if wanted else Optional()
    kw = {"autocomplete": autocomplete, **more}
    return StringField(label, [first, AtMost(length)], render_kw=kw)


def email(label: Any, autocomplete: str) -> Any:
    """Return a required address."""
    checks = [
        DataRequired(_l("Write the e-mail address.")),
        AtMost(254),
        Email(_l("This is not a whole e-mail address, like name@example.org.")),
    ]
    kw = {"autocomplete": autocomplete, "inputmode": "email"}
    return EmailField(label, checks, render_kw=kw)


def phone() -> Any:
    """Return a telephone number that may be left out."""
    wrong = _l("Write digits, spaces and a plus sign only.")
    checks = [Optional(), AtMost(40), Regexp(PHONE, message=wrong)]
    kw = {"autocomplete": "tel", "inputmode": "tel"}
    return TelField(_l("Phone"), checks, render_kw=kw)


class PlacesForm(BaseForm):
    """How many places of each ticket type; fields are named `places_<ticket type id>`."""

    @property
    def wanted(self) -> dict[int, int]:
        """Return ticket type id → number, as far as these can be read."""
        found = {}
        for name, field in self._fields.items():
            if name.startswith("places_") and isinstance(field.data, int):
                found[int(name.removeprefix("places_"))] = min(max(field.data, 0), 99)
        return found


def build_places(rows: Sequence[tuple[int, str, int, int]], **options: Any) -> PlacesForm:
    """Return the form for (ticket type id, label, most, chosen now) rows."""
    fields = {
        f"places_{type_id}": SelectField(
            label,
            coerce=_number,
            choices=partial(_counts, max(most, chosen)),
            default=chosen,
            validate_choice=False,
        )
        for type_id, label, most, chosen in rows
    }
    return cast(PlacesForm, type("ThesePlaces", (PlacesForm,), fields)(**options))


def read_places(posted: Iterable[str]) -> PlacesForm:
    """Return the form with the fields that were posted: enough to read it, not to show it again."""
    numbers = (name.removeprefix("places_") for name in posted if name.startswith("places_"))
    ids = {int(n) for n in numbers if re.fullmatch("[0-9]{1,9}", n)}
    return build_places([(type_id, "", MOST_PLACES, 0) for type_id in sorted(ids)])


def _counts(most: int) -> list[tuple[int, str]]:
    return [(n, str(n)) for n in range(most + 1)]


def _number(value: Any) -> int:
    number = int(str(value)) if str(value).isascii() else -1
    if not 0 <= number <= MOST_PLACES:
        raise ValueError(_("Choose a number from the list."))
    return number


class PayerForm(BaseForm):
    """Who pays; with a field `mine_<event id>` for each event in the cart."""

    first_name = text(_l("First name"), 100, "given-name", wanted=_l("Write your first name."))
    last_name = text(_l("Last name"), 100, "family-name", wanted=_l("Write your last name."))
    email = email(_l("E-mail"), "email")
    phone = phone()

    @property
    def mine(self) -> dict[int, int | None]:
        """Return event id → the ticket type of the payer's own place, None where they do not come."""
        return {
            int(name.removeprefix("mine_")): int(field.data) if field.data != "no" else None
            for name, field in self._fields.items()
            if name.startswith("mine_")
        }


# Event id, question, (ticket type id, label) of the places that may be theirs, what was chosen before.
Choice = tuple[int, str, Sequence[tuple[int, str]], str | None]


def build_payer(choices: Sequence[Choice], **options: Any) -> PayerForm:
    """Return the form with one question for each event: which place is yours?"""
    fields: dict[str, Any] = {}
    for event_id, label, types, before in choices:
        offered = [(str(t), name) for t, name in types]
        offered.append(("no", _("No, I only arrange it for somebody else")))
        fields[f"mine_{event_id}"] = RadioField(
            label,
            [InputRequired(_l("Tell us whether you are coming."))],
            choices=partial(list, offered),
            default=before,
        )
    return cast(PayerForm, type("ThisPayer", (PayerForm,), fields)(**options))


class PersonForm(BaseForm):
    """Somebody else who comes."""

    first_name = text(_l("First name"), 100, "off", wanted=_l("Write the first name."))
    last_name = text(_l("Last name"), 100, "off", wanted=_l("Write the last name."))
    email = email(_l("E-mail"), "off")


class OwnForm(PersonForm):
    """Somebody who comes, and says so themselves."""

    first_name = text(_l("First name"), 100, "given-name", wanted=_l("Write your first name."))
    last_name = text(_l("Last name"), 100, "family-name", wanted=_l("Write your last name."))
    email = email(_l("E-mail"), "email")


class CodeForm(BaseForm):
    """A code that lowers the price; where they all work is asked for where the code is for a group only."""

    code = text(_l("I have a code"), 40, "off", wanted=_l("Write the code."))
    workplace = text(_l("Where you all work"), 200, "organization")


class AboutForm(BaseForm):
    """What a person tells about themselves."""

    credentials = text(_l("Letters after your name"), 80, "honorific-suffix")
    badge_name = text(_l("Name on your badge"), 100, "nickname")
    pronouns = text(_l("Pronouns"), 40, "off")
    phone = phone()
    profession = text(_l("Your profession"), 120, "organization-title", list="professions")
    workplace = text(_l("Where you work, and the department"), 200, "organization")
    city = text(_l("City"), 120, "address-level2")

    @property
    def about(self) -> dict[str, str]:
        return {f.name: f.data or "" for f in self if f.name not in ("csrf_token",)}


_WANTED = {
    "credentials": _l("Write the letters after your name. If you have none yet, write “student”."),
    "profession": _l("Write your profession."),
    "workplace": _l("Write where you work. If you work nowhere now, write “none”."),
}


def build_about(
    required: frozenset[str], *, without: Sequence[str] = (), **options: Any
) -> AboutForm:
    """Return the form; `required` are the fields that must be filled in, `without` those that are not asked."""
    form = AboutForm(**options)
    for name in without:
        del form[name]
    for name in required:
        form[name].validators = [DataRequired(_WANTED[name]), *form[name].validators[1:]]
        form[name].flags.required = True
        form[name].flags.optional = False
    return form


class ByHandForm(BaseForm):
    """An organizer puts somebody down."""

    first_name = text(_l("First name"), 100, "off", wanted=_l("Write the first name."))
    last_name = text(_l("Last name"), 100, "off", wanted=_l("Write the last name."))
    email = email(_l("E-mail"), "off")
    ticket_type = RadioField(
        _l("Place"), [InputRequired(_l("Choose a place."))], coerce=int, validate_choice=True
    )
    payment = RadioField(
        _l("Payment"),
        [InputRequired(_l("Choose how it is paid."))],
        choices=lambda: [
            ("link", _("Mail a link to pay; the place is held for a week")),
            ("none", _("Nothing to pay for the place; confirm at once")),
        ],
        default="link",
    )
    reason = text(_l("Why by hand"), 500, "off", wanted=_l("Say why, in a few words."))


class ContactForm(BaseForm):
    """An organizer mends contact data."""

    first_name = text(_l("First name"), 100, "off", wanted=_l("Write the first name."))
    last_name = text(_l("Last name"), 100, "off", wanted=_l("Write the last name."))
    email = email(_l("E-mail"), "off")
    phone = phone()
    badge_name = text(_l("Name on the badge"), 100, "off")
    pronouns = text(_l("Pronouns"), 40, "off")
    credentials = text(_l("Letters after the name"), 80, "off")
    profession = text(_l("Profession"), 120, "off")
    workplace = text(_l("Workplace"), 200, "off")
    city = text(_l("City"), 120, "off")


class RefuseForm(BaseForm):
    """An organizer says no to something; the reason goes into the letter."""

    reason = text(_l("Why"), 500, "off", wanted=_l("Say why; the person reads it in their letter."))


class CancelForm(RefuseForm):
    """An organizer cancels a place."""

    sure = BooleanField(
        _l("I want to cancel this place"), [InputRequired(_l("Tick the box to cancel."))]
    )


class HandForm(PersonForm):
    """An organizer gives somebody's place to a colleague."""

    reason = text(_l("Why"), 500, "off", wanted=_l("Say why; it is kept with the place."))


class WhyForm(BaseForm):
    """Why an organizer does something in somebody's stead."""

    reason = text(_l("Why"), 500, "off", wanted=_l("Say why; it is kept with the place."))


class NoteForm(BaseForm):
    """An organizers' note."""

    note = StringField(_l("Note"), [Optional(), AtMost(2000)])


def filled(data: Mapping[str, Any]) -> dict[str, str]:
    """Return form data with empty text for what was left out."""
    return {k: v or "" for k, v in data.items() if k != "csrf_token"}
