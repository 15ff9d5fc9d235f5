"""One class for each type of question: its field, what is accepted, how it is stored, shown and exported.

What is stored is plain JSON: text, a number, True or False, a date as "2027-04-22", a list of choice values.
"""

import re
from datetime import date
from functools import partial
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from wtforms import BooleanField, Field, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields import EmailField, TelField, TextAreaField
from wtforms.widgets import CheckboxInput, DateInput, ListWidget

from regsys.questions.kinds import QuestionType
from regsys.questions.models import Question
from regsys.web.html import day

SHORT, LONG = 200, 5000
LARGEST = 10**12
# From here on a list is easier to look through in a menu than as buttons.
MENU_FROM = 8


class Type:
    """What all types share; a value of None means that nothing was answered."""

    has_choices = False
    agrees = False

    def field(self, q: Question, **options: Any) -> Field:
        """Return the field, not yet bound to a form; `options` are WTForms' own (label, description, render_kw)."""
        return StringField(**options)

    def to_field(self, stored: Any) -> Any:
        """Return what the field shows for a stored value."""
        return stored

    def to_stored(self, data: Any) -> Any:
        """Return what is stored for what came from the field; impossible input is kept for `problem` to name."""
        return data or None

    def problem(self, q: Question, value: Any) -> str | None:
        """Return what is wrong with an answered value, as a sentence."""
        return None

    def missing(self, q: Question) -> str:
        """Return the sentence for a required answer that is not there."""
        return _("Please answer this: %(question)s", question=q.label)

    def show(self, q: Question, stored: Any) -> str:
        """Return the answer for people."""
        return str(stored)

    def export(self, q: Question, stored: Any) -> str | int | float | bool | date:
        """Return the answer for a typed cell."""
        return self.show(q, stored)


class Text(Type):
    """One line."""

    length = SHORT

    def field(self, q: Question, **options: Any) -> Field:
        options["render_kw"] = {**options.get("render_kw", {}), "maxlength": self.length}
        return self.plain_field(**options)

    def plain_field(self, **options: Any) -> Field:
        return StringField(**options)

    def problem(self, q: Question, value: Any) -> str | None:
        if not isinstance(value, str):
            return self.missing(q)
        if len(value) > self.length:
            return _(
                "%(question)s: at most %(n)s characters, please.", question=q.label, n=self.length
            )
        return self.malformed(q, value)

    def malformed(self, q: Question, value: str) -> str | None:
        return None


class LongText(Text):
    """Some lines."""

    length = LONG

    def plain_field(self, **options: Any) -> Field:
        return TextAreaField(**options)


class Email(Text):
    """An address; whether it exists is not asked."""

    def plain_field(self, **options: Any) -> Field:
        return EmailField(**options)

    def malformed(self, q: Question, value: str) -> str | None:
        try:
            validate_email(value, check_deliverability=False)
        except EmailNotValidError:
            return _("%(question)s: this is not a whole e-mail address.", question=q.label)
        return None


class Phone(Text):
    """A number as people write it."""

    length = 40

    def plain_field(self, **options: Any) -> Field:
        return TelField(**options)

    def malformed(self, q: Question, value: str) -> str | None:
        if re.fullmatch(r"\+?[\d\s()./-]{5,30}(\s*(x|ext\.?)\s*\d{1,6})?", value, re.ASCII | re.I):
            return None
        return _("%(question)s: write digits, spaces and a plus sign only.", question=q.label)


class Number(Text):
    """A whole or decimal number."""

    length = 20

    def field(self, q: Question, **options: Any) -> Field:
        options["render_kw"] = {**options.get("render_kw", {}), "inputmode": "decimal"}
        return super().field(q, **options)

    def to_field(self, stored: Any) -> Any:
        return None if stored is None else str(stored)

    def to_stored(self, data: Any) -> Any:
        if isinstance(data, str) and re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", data, re.ASCII):
            return float(data) if "." in data else int(data)
        return data if data != "" else None

    def problem(self, q: Question, value: Any) -> str | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and -LARGEST < value < LARGEST:
            return None
        return _("%(question)s: please write a number, for example 12.", question=q.label)

    def export(self, q: Question, stored: Any) -> str | int | float | bool | date:
        return stored if isinstance(stored, int | float) else str(stored)


class Date(Text):
    """A day."""

    def plain_field(self, **options: Any) -> Field:
        return StringField(widget=DateInput(), **options)

    def problem(self, q: Question, value: Any) -> str | None:
        if _date(value):
            return None
        return _("%(question)s: please write a date, for example 2027-04-22.", question=q.label)

    def show(self, q: Question, stored: Any) -> str:
        found = _date(stored)
        return day(found) if found else str(stored)

    def export(self, q: Question, stored: Any) -> str | int | float | bool | date:
        return _date(stored) or str(stored)


def _date(value: Any) -> date | None:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


class OneChoice(Type):
    """One of a list."""

    has_choices = True

    def field(self, q: Question, **options: Any) -> Field:
        choices = [(value, label) for value, label in q.choices]
        if len(choices) < MENU_FROM:
            return RadioField(choices=partial(list, choices), validate_choice=False, **options)
        blank = [("", _("Please choose"))]
        return SelectField(choices=partial(list, blank + choices), validate_choice=False, **options)

    def problem(self, q: Question, value: Any) -> str | None:
        return None if value in _values(q) else _not_listed(q)

    def show(self, q: Question, stored: Any) -> str:
        return _label(q, stored)


class SeveralChoices(Type):
    """Any number of a list."""

    has_choices = True

    def field(self, q: Question, **options: Any) -> Field:
        return SelectMultipleField(
            choices=partial(list, [(value, label) for value, label in q.choices]),
            validate_choice=False,
            widget=ListWidget(prefix_label=False),
            option_widget=CheckboxInput(),
            **options,
        )

    def to_field(self, stored: Any) -> Any:
        return stored or []

    def to_stored(self, data: Any) -> Any:
        return list(dict.fromkeys(data)) if data else None

    def problem(self, q: Question, value: Any) -> str | None:
        if isinstance(value, list) and all(v in _values(q) for v in value):
            return None
        return _not_listed(q)

    def show(self, q: Question, stored: Any) -> str:
        return "; ".join(_label(q, v) for v in stored)


class YesNo(Type):
    """Yes or no; not answered is neither."""

    def field(self, q: Question, **options: Any) -> Field:
        choices = [("yes", _("Yes")), ("no", _("No"))]
        return RadioField(choices=partial(list, choices), validate_choice=False, **options)

    def to_field(self, stored: Any) -> Any:
        return {True: "yes", False: "no"}.get(stored)

    def to_stored(self, data: Any) -> Any:
        return {"yes": True, "no": False}.get(data, data or None)

    def problem(self, q: Question, value: Any) -> str | None:
        return None if isinstance(value, bool) else self.missing(q)

    def show(self, q: Question, stored: Any) -> str:
        return _("Yes") if stored else _("No")

    def export(self, q: Question, stored: Any) -> str | int | float | bool | date:
        return self.show(q, stored)


class Agreement(YesNo):
    """A word that is given: which version and when is stored with it; not given is not answered."""

    agrees = True

    def field(self, q: Question, **options: Any) -> Field:
        return BooleanField(**options)

    def to_field(self, stored: Any) -> Any:
        return bool(stored)

    def to_stored(self, data: Any) -> Any:
        return True if data else None

    def problem(self, q: Question, value: Any) -> str | None:
        return None if value is True else self.missing(q)

    def missing(self, q: Question) -> str:
        return _("We need your word on this: %(question)s", question=q.label)


def _values(q: Question) -> list[str]:
    return [value for value, _label in q.choices]


def _label(q: Question, value: Any) -> str:
    """Return a choice's label; a value that is no longer on the list stands for itself."""
    return next((label for v, label in q.choices if v == value), str(value))


def _not_listed(q: Question) -> str:
    return _("%(question)s: please choose from the list.", question=q.label)


TYPES: dict[QuestionType, Type] = {
    QuestionType.SHORT_TEXT: Text(),
    QuestionType.LONG_TEXT: LongText(),
    QuestionType.ONE_CHOICE: OneChoice(),
    QuestionType.SEVERAL_CHOICES: SeveralChoices(),
    QuestionType.YES_NO: YesNo(),
    QuestionType.AGREEMENT: Agreement(),
    QuestionType.NUMBER: Number(),
    QuestionType.DATE: Date(),
    QuestionType.EMAIL: Email(),
    QuestionType.PHONE: Phone(),
}


def type_of(q: Question) -> Type:
    """Return the class that knows this question."""
    return TYPES[q.type]


def show(q: Question, stored: Any) -> str:
    """Return an answer for people; empty where there is none."""
    return "" if stored is None else type_of(q).show(q, stored)
