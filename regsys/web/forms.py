"""The form that every form grows from."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, StringField, TextAreaField, ValidationError
from wtforms.fields import EmailField, SearchField, TelField, URLField

from regsys.kernel.text import clean

TEXT_FIELDS = (StringField, TextAreaField, EmailField, SearchField, TelField, URLField)
LONGEST = 20_000


class BaseForm(FlaskForm):
    """Cleans every text field (no control characters, NFC, trimmed) and bounds its length."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Field:
            if issubclass(unbound_field.field_class, TEXT_FIELDS):
                filters = list(unbound_field.kwargs.get("filters", ()))
                unbound_field.kwargs["filters"] = [_clean, *(f for f in filters if f is not _clean)]
            field: Field = unbound_field.bind(form=form, **options)
            return field


def _clean(value: str | None) -> str | None:
    return clean(value) if isinstance(value, str) else value


class AtMost:
    """Validator: refuse text that is longer than `length` characters, and say so to the browser."""

    def __init__(self, length: int = LONGEST) -> None:
        self.length = length
        self.field_flags = {"maxlength": length}

    def __call__(self, form: Any, field: Field) -> None:
        if field.data and len(field.data) > self.length:
            raise ValidationError(_l("At most %(n)s characters, please.", n=self.length))
