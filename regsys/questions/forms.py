"""A web form from an event's questions: fields are named `q_<key>`."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from flask_babel import gettext as _
from wtforms import BooleanField

from regsys.questions import rules
from regsys.questions.queries import Entry
from regsys.questions.services import list_problems, usable, whole
from regsys.questions.types import show, type_of
from regsys.web.forms import BaseForm


class QuestionsForm(BaseForm):
    """One person's answers.

    Private answers that are stored stand unless something new is written or they are cleared. An agreement that was
    given has no field any more.
    """

    entries: Sequence[Entry] = ()

    @property
    def values(self) -> dict[str, Any]:
        """Return what is stored for each key; None where nothing was answered."""
        return {
            e.question.key: type_of(e.question).to_stored(self[_name(e)].data)
            for e in self.entries
            if _name(e) in self
        }

    @property
    def kept(self) -> list[str]:
        """Return the keys whose earlier answers stand where nothing new was written."""
        return [
            e.question.key
            for e in self.entries
            if _stands(e) and not (_clear(e) in self and self[_clear(e)].data)
        ]

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """Check what is asked, and only that: what is asked follows from what was sent."""
        fine = super().validate(extra_validators)
        questions = [e.question for e in self.entries]
        values = whole(self.entries, self.values, self.kept)
        asked = rules.asked(questions, values)
        wrong = list_problems(questions, values, asked)
        for key, sentence in wrong.items():
            field = self[f"q_{key}"]
            field.errors = [*field.errors, sentence]
        return fine and not wrong

    def clear_field(self, key: str) -> Any:
        """Return the box that clears a stored private answer, or None."""
        return self._fields.get(f"clear_{key}")


def build(entries: Sequence[Entry], **options: Any) -> QuestionsForm:
    """Return the form for these questions, filled with the answers that may be shown again."""
    fields: dict[str, Any] = {"entries": list(entries)}
    labels = {e.question.key: e for e in entries}
    for entry in entries:
        q = entry.question
        if _given(entry):
            continue
        fields[_name(entry)] = type_of(q).field(
            q, label=q.label, description=_help(entry, labels), render_kw={}
        )
        if _stands(entry) and not q.required:
            fields[_clear(entry)] = BooleanField(label=_("Delete what I wrote here before"))
    made = type("EventForm", (QuestionsForm,), fields)(data=_data(entries), **options)
    form = cast(QuestionsForm, made)
    for entry in entries:
        if entry.question.required and not entry.question.show_if and _name(entry) in form:
            form[_name(entry)].flags.required = True
    return form


def _data(entries: Sequence[Entry]) -> dict[str, Any]:
    return {
        _name(e): type_of(e.question).to_field(e.answer.stored)
        for e in entries
        if e.answer and usable(e) and not e.question.sensitive
    }


def _name(entry: Entry) -> str:
    return f"q_{entry.question.key}"


def _clear(entry: Entry) -> str:
    return f"clear_{entry.question.key}"


def _stands(entry: Entry) -> bool:
    """Tell whether a stored answer stands without being sent again: private ones, and agreements once given."""
    return usable(entry) and (entry.question.sensitive or _given(entry))


def _given(entry: Entry) -> bool:
    return type_of(entry.question).agrees and usable(entry)


def _help(entry: Entry, by_key: Mapping[str, Entry]) -> str:
    q = entry.question
    parts = [_condition(q.show_if, by_key)] if q.show_if else []
    parts += [q.help] if q.help else []
    if q.sensitive and _stands(entry):
        parts.append(
            _("Saved. It is private, so it is not shown again: leave this empty to keep it.")
        )
    elif q.sensitive and q.delete_after_days is not None:
        parts.append(_("Private: kept encrypted, and deleted after the event."))
    elif q.sensitive:
        parts.append(_("Private: kept encrypted."))
    return " ".join(parts)


def _condition(show_if: Mapping[str, Any], by_key: Mapping[str, Entry]) -> str:
    above = by_key.get(show_if["question"])
    if above is None:
        return ""
    answers = [show(above.question, [v] if _is_several(above) else v) for v in show_if["is"]]
    return _(
        "Only if you answered “%(answer)s” to “%(question)s”.",
        answer=_("” or “").join(answers),
        question=above.question.label,
    )


def _is_several(entry: Entry) -> bool:
    return type_of(entry.question).has_choices and entry.question.type == "several_choices"
