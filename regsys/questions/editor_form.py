"""Shape of what organizers decide about a question."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from regsys.kernel.text import slugify
from regsys.questions.editor import CHOICES, YES, Wording, mark_of
from regsys.questions.kinds import Audience, QuestionType, Stage
from regsys.questions.models import Question
from regsys.web.forms import AtMost, BaseForm, Between

NEEDED = InputRequired(_l("Please fill this in."))
MOST_CHOICES = 60
# What is said of a choice that no list offers: only a hand-made request sends one.
LISTED: dict[str, Any] = {
    "invalid_value_message": _l("Please choose from the list."),
    "invalid_choice_message": _l("Please choose from the list."),
}

TYPES = (
    (QuestionType.SHORT_TEXT, _l("One line")),
    (QuestionType.LONG_TEXT, _l("Some lines")),
    (QuestionType.ONE_CHOICE, _l("One of a list")),
    (QuestionType.SEVERAL_CHOICES, _l("Any number of a list")),
    (QuestionType.YES_NO, _l("Yes or no")),
    (QuestionType.AGREEMENT, _l("An agreement: one tick, with its time")),
    (QuestionType.NUMBER, _l("A number")),
    (QuestionType.DATE, _l("A date")),
    (QuestionType.EMAIL, _l("An e-mail address")),
    (QuestionType.PHONE, _l("A phone number")),
)
AUDIENCES = (
    (Audience.ORGANIZER, _l("Organizers")),
    (Audience.LEADERS, _l("Organizers and the leaders of the event")),
    (Audience.GROUP, _l("Organizers, leaders, and the person’s small group")),
    (Audience.STEWARD, _l("Nobody but the steward of the groups, not even organizers")),
)


STAGES = (
    (Stage.APPLY, _l("When they apply")),
    (Stage.REGISTER, _l("When they have a place")),
)


class QuestionForm(BaseForm):
    """One question of an event's form."""

    seen = IntegerField(widget=HiddenInput(), default=0, validators=(Optional(),))
    label = StringField(_l("The question, as people read it"), (NEEDED, AtMost(500)))
    type = SelectField(
        _l("How it is answered"),
        (NEEDED,),
        choices=lambda: [(t.value, word) for t, word in TYPES],
        coerce=QuestionType,
        **LISTED,
        default=QuestionType.SHORT_TEXT,
    )
    choices = TextAreaField(
        _l("Answers to choose from"),
        (AtMost(6000),),
        description=_l("One on each line; for questions that are answered from a list."),
        render_kw={"rows": 6},
    )
    terms = TextAreaField(
        _l("The whole text that is agreed to"),
        (AtMost(),),
        description=_l("For agreements that need more than the sentence above. Markdown works."),
        render_kw={"rows": 5},
    )
    help = TextAreaField(
        _l("A word of help"),
        (AtMost(1000),),
        description=_l("It stands under the question."),
        render_kw={"rows": 2},
    )
    required = BooleanField(_l("It must be answered"))
    stage = RadioField(
        _l("When is it asked?"),
        (NEEDED,),
        choices=lambda: [(s.value, word) for s, word in STAGES],
        coerce=Stage,
        **LISTED,
        default=Stage.APPLY,
    )
    column_title = StringField(
        _l("Title of its column"),
        (AtMost(80),),
        description=_l("In lists and exports; left empty, the question itself."),
    )
    show_if = SelectMultipleField(
        _l("Ask it only of those who answered"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_l("All from one earlier question. With none chosen, everybody is asked."),
    )
    visible_to = RadioField(
        _l("Who may see the answers?"),
        (NEEDED,),
        choices=lambda: [(a.value, word) for a, word in AUDIENCES],
        coerce=Audience,
        **LISTED,
        default=Audience.ORGANIZER,
    )
    sensitive = BooleanField(
        _l("Sensitive: stored encrypted, and never shown again to the person’s own link")
    )
    delete_after_days = IntegerField(
        _l("Delete the answers so many days after the event"),
        (
            Optional(),
            Between(0, 3650, _l("Please write a whole number from 0 to 3650.")),
        ),
        description=_l("Left empty, they are kept."),
        render_kw={"inputmode": "numeric"},
    )

    known: Sequence[tuple[str, str]] = ()
    kept_stage = Stage.REGISTER

    @classmethod
    def of(
        cls, question: Question | None, earlier: Sequence[Question], *, staged: bool
    ) -> "QuestionForm":
        """Return the form of a question; on a POST what was typed comes first. `staged`: people apply first."""
        if question is None:
            form = cls()
        else:
            same = (
                "label",
                "type",
                "terms",
                "help",
                "required",
                "column_title",
                "visible_to",
                "stage",
            )
            more = ("sensitive", "delete_after_days")
            form = cls(
                **{name: getattr(question, name) for name in (*same, *more)},
                seen=mark_of(question),
                choices="\n".join(label for _value, label in question.choices),
                show_if=_ticked(question.show_if),
            )
            form.known = [(value, label) for value, label in question.choices]
        form.show_if.choices = _conditions(earlier)
        if not staged:
            form.kept_stage = question.stage if question else Stage.REGISTER
            del form.stage
        return form

    def renew(self, mark: int) -> None:
        """Stand on what is stored now; what was typed stays."""
        self.seen.data, self.seen.raw_data = mark, None

    def validate(self, extra_validators: Any = None) -> bool:
        fine = super().validate(extra_validators)
        if self.type.data in CHOICES and len(self._lines()) < 2:
            self.choices.errors = [_("Write at least two answers, one on each line.")]
            fine = False
        if len(self._lines()) > MOST_CHOICES:
            self.choices.errors = [_("At most %(n)s answers, please.", n=MOST_CHOICES)]
            fine = False
        if len({c.partition("=")[0] for c in self.show_if.data or ()}) > 1:
            self.show_if.errors = [_("Please choose answers to one question only.")]
            fine = False
        return fine

    def facts(self) -> Wording:
        """Return what the editor's verbs take."""
        kind = QuestionType(self.type.data)
        label = self.label.data or ""
        return Wording(
            type=kind,
            label=label,
            column_title=self.column_title.data or label[:80],
            help=self.help.data or "",
            terms=(self.terms.data or "") if kind is QuestionType.AGREEMENT else "",
            required=bool(self.required.data),
            stage=Stage(self.stage.data) if "stage" in self else self.kept_stage,
            choices=choices_from(self._lines(), self.known) if kind in CHOICES else (),
            show_if=self._condition(),
            visible_to=Audience(self.visible_to.data),
            sensitive=bool(self.sensitive.data),
            delete_after_days=self.delete_after_days.data,
        )

    def _lines(self) -> list[str]:
        lines = (line.strip()[:200] for line in (self.choices.data or "").splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def _condition(self) -> Mapping[str, Any] | None:
        chosen = [_read(c) for c in self.show_if.data or ()]
        if not chosen:
            return None
        return {"question": chosen[0][0], "is": [value for _key, value in chosen]}


def choices_from(
    lines: Sequence[str], known: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """Return (value, label) for each line.

    A label that was there keeps its value. So does one that was reworded in its place, where nothing was added or
    taken away: then other questions that hang on it go on to do so.
    """
    by_label = {label: value for value, label in known}
    used = {by_label[line] for line in lines if line in by_label}
    found = []
    for place, line in enumerate(lines):
        value = by_label.get(line)
        if value is None and len(lines) == len(known) and known[place][1] not in lines:
            value = known[place][0]
        if value is None:
            value = _new_value(line, used | {v for v, _label in known})
        used.add(value)
        found.append((value, line))
    return tuple(found)


def _new_value(line: str, taken: set[str]) -> str:
    stem = slugify(line)[:50].replace("-", "_") or "answer"
    value, n = stem, 1
    while value in taken:
        n += 1
        value = f"{stem}_{n}"
    return value


def _conditions(earlier: Sequence[Question]) -> list[tuple[str, str]]:
    """Return the answers that a question can hang on: ("key=json", "label: answer")."""
    found = []
    for q in earlier:
        answers: list[tuple[Any, str]] = [(value, label) for value, label in q.choices]
        if q.type in YES:
            answers = [(True, _("Yes"))]
            if q.type is QuestionType.YES_NO:
                answers.append((False, _("No")))
        for value, label in answers:
            words = _("“%(answer)s” to “%(question)s”", answer=label, question=q.label)
            found.append((_written(q.key, value), words))
    return found


def _ticked(show_if: Mapping[str, Any] | None) -> list[str]:
    return [_written(show_if["question"], value) for value in show_if["is"]] if show_if else []


def _written(key: str, value: Any) -> str:
    return f"{key}={json.dumps(value)}"


def _read(choice: str) -> tuple[str, Any]:
    key, _sign, value = choice.partition("=")
    return key, json.loads(value)
