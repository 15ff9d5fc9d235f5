"""What forms have in common: rows, wall times in a zone, days, amounts, whole numbers."""

from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    DateField,
    DateTimeLocalField,
    Field,
    HiddenField,
    IntegerField,
    StringField,
    TimeField,
    ValidationError,
)
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import HiddenInput

from regsys.kernel import money
from regsys.kernel.text import whole_number
from regsys.kernel.zones import Clocks, Moment, moment
from regsys.web.forms import BaseForm, Between
from regsys.web.html import clock, day

FIRST_YEAR, LAST_YEAR = 2000, 2100
# What is said of a choice that no list offers: only a hand-made request sends one.
LISTED: dict[str, Any] = {
    "invalid_value_message": _l("Please choose from the list."),
    "invalid_choice_message": _l("Please choose from the list."),
}


class Row(BaseForm):
    """A form inside a list of a form: the outer one carries the token."""

    class Meta(BaseForm.Meta):
        csrf = False


class VersionedForm(BaseForm):
    """A form that says which version of a thing it was filled from."""

    version = IntegerField(
        widget=HiddenInput(),
        validators=(InputRequired(), Between(1, 2_000_000_000, _l("Please open this form again."))),
    )

    def renew(self, version: int) -> None:
        """Stand on the version that is stored now; what was typed stays."""
        self.version.data, self.version.raw_data = version, None


def refuse(field: Field, sentence: str) -> None:
    """Add what is wrong to a field."""
    field.errors = [*field.errors, sentence]


def given(field: Field) -> Any:
    """Return what a field that was checked holds."""
    return field.data


class _When(Field):
    """What a day, a time or both have in common: nothing may be written; what cannot be read gets a sentence."""

    sentence: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and valuelist[0].strip():
            try:
                super().process_formdata(valuelist)
            except ValueError:
                raise ValueError(self.sentence) from None
            _check_year(self.data)


class WallField(_When, DateTimeLocalField):
    """A wall time in the event's zone."""

    sentence = _l("Please write a day and a time.")

    def __init__(self, label: Any = None, validators: Any = (), **kwargs: Any) -> None:
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        super().__init__(label, validators, format=formats, **kwargs)


class DayField(_When, DateField):
    """A day; what is none gets a sentence with an example."""

    sentence = _l("Write a day, such as 2027-02-28.")


class HourField(_When, TimeField):
    """A time of the day."""

    sentence = _l("Please write a time.")


def _check_year(value: object) -> None:
    if isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(_("This year is too far away."))


class AmountField(StringField):
    """An amount such as 920.00, read once the currency is known."""

    def minor_units(self, currency: str) -> int | None:
        """Return minor units, None where nothing was typed; complain at the field where it is no amount."""
        if not self.data:
            return None
        try:
            return money.parse(self.data, currency)
        except ValueError:
            example = money.plain(92000, currency)
            refuse(self, _("Please write an amount, like %(example)s.", example=example))
            return None


def whole(label: Any, least: int = 0, most: int = 5000, **more: Any) -> IntegerField:
    """Return a field for a whole number that may be left out."""
    sentence = _l("Please write a whole number from %(least)s to %(most)s.", least=least, most=most)
    return IntegerField(
        label,
        (Optional(), Between(least, most, sentence)),
        render_kw={"inputmode": "numeric", "min": least, "max": most},
        **more,
    )


def row_id() -> HiddenField:
    """Return the hidden field that says which row of the database this is; anything else counts as new."""
    return HiddenField(default="")


def id_of(field: Field) -> int | None:
    """Return the id in a row's hidden field."""
    # What was not sent is still the number that the field was made with.
    return whole_number(str(field.data or ""))


def web_address(form: Any, field: Field) -> None:
    """Validator: an address that begins with https:// or http://."""
    text = field.data or ""
    if text and (
        not text.startswith(("https://", "http://")) or not text.isprintable() or " " in text
    ):
        raise ValidationError(_("Please write the whole address, beginning with https://."))


class Wall:
    """Reads wall times in one zone, and remembers what the clocks did to them."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.remarks: list[str] = []

    def at(self, wall: datetime, stored: datetime | None = None) -> datetime:
        """Return the moment of a wall time; what is stored is kept where it shows the same time."""
        found = moment(wall, self.zone, stored=stored)
        if found.clocks is not Clocks.STEADY:
            self.remarks.append(self._remark(wall, found))
        return found.at

    def maybe(self, wall: datetime | None, stored: datetime | None) -> datetime | None:
        """Return the moment of a wall time that may be left out."""
        return None if wall is None else self.at(wall, stored)

    def _remark(self, wall: datetime, found: Moment) -> str:
        facts = {"time": wall.strftime("%H:%M"), "day": day(wall.date())}
        used = clock(found.at, self.zone)
        if found.clocks is Clocks.SKIPPED:
            return _(
                "The clocks go forward on %(day)s, and there is no %(time)s: it is now %(used)s.",
                used=used,
                **facts,
            )
        return _(
            "The clocks go back on %(day)s, and %(time)s comes twice: it is the first one, %(used)s.",
            used=used,
            **facts,
        )
