"""The form that every form grows from."""

import re
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, StringField, TextAreaField, ValidationError
from wtforms.fields import EmailField, SearchField, TelField, URLField

from regsys.kernel.text import clean

TEXT_FIELDS = (StringField, TextAreaField, EmailField, SearchField, TelField, URLField)
LONGEST = 20_000


class BaseForm(FlaskForm):
    """Cleans every text field (no control characters, NFC, trimmed; one line where the field is one line)."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Field:
            if issubclass(unbound_field.field_class, TEXT_FIELDS):
                cleaner = _clean if issubclass(unbound_field.field_class, TextAreaField) else _line
                filters = list(unbound_field.kwargs.get("filters", ()))
                unbound_field.kwargs["filters"] = [
                    cleaner,
                    *(f for f in filters if f is not cleaner),
                ]
            field: Field = unbound_field.bind(form=form, **options)
            return field


def _clean(value: str | None) -> str | None:
    return clean(value) if isinstance(value, str) else value


def _line(value: str | None) -> str | None:
    # A browser sends no line break here; what sends one may want a header of its own in our letters.
    return re.sub(r"\s*[\n\t]\s*", " ", clean(value)) if isinstance(value, str) else value


class AtMost:
    """Validator: refuse text that is longer than `length` characters, and say so to the browser."""

    def __init__(self, length: int = LONGEST) -> None:
        self.length = length
        self.field_flags = {"maxlength": length}

    def __call__(self, form: Any, field: Field) -> None:
        if field.data and len(field.data) > self.length:
            raise ValidationError(_l("At most %(n)s characters, please.", n=self.length))


class Between:
    """Validator: refuse a number outside of the bounds; WTForms' own one breaks at 400 digits."""

    def __init__(self, low: int, high: int, sentence: str) -> None:
        self.low, self.high, self.sentence = low, high, sentence
        self.field_flags = {"min": low, "max": high}

    def __call__(self, form: Any, field: Field) -> None:
        if field.data is None or not self.low <= field.data <= self.high:
            raise ValidationError(self.sentence)
