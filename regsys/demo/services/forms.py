"""The demo's questions and answers, as rows of the room `questions`."""

from datetime import datetime
from typing import Any

from regsys.questions.models import Answer, Audience, Question, QuestionType, Stage

Rows = dict[str, Any]
TYPES = {
    "choice": QuestionType.ONE_CHOICE,
    "text": QuestionType.SHORT_TEXT,
    "long_text": QuestionType.LONG_TEXT,
    "boolean": QuestionType.YES_NO,
    "agreement": QuestionType.AGREEMENT,
    "integer": QuestionType.NUMBER,
    "choice_or_text": QuestionType.SHORT_TEXT,
    "people_private": QuestionType.LONG_TEXT,
    "leaders_private": QuestionType.LONG_TEXT,
    "contact": QuestionType.SHORT_TEXT,
}
AUDIENCES = {"leaders": Audience.LEADERS, "group": Audience.GROUP, "none": Audience.ORGANIZER}
# These are fields of the person, and asked of everybody.
PERSON = frozenset({"profession", "credentials", "workplace", "time_zone"})
# Asked of applicants, where places are given by application.
APPLICANTS = frozenset(
    {
        "career_stage", "years_in_practice", "balint_experience", "goals", "heard_from", "track",
        "agrees_confidentiality", "agrees_full_attendance", "intensives_attended", "leads_group_now",
        "intends_to_lead",
    }
)  # fmt: skip
STEWARD = frozenset({"keep_apart", "leader_conflicts", "supervises_or_reports_to"})


def make_questions(event_id: int, event: Rows, library: Rows, *, now: datetime) -> list[Question]:
    """Return an event's questions in their order; options are not questions here."""
    keys = [k for k in event["questions"] if k not in PERSON and library[k]["type"] in TYPES]
    return [
        _make(event_id, key, library[key], position, now=now) for position, key in enumerate(keys)
    ]


def _make(event_id: int, key: str, q: Rows, position: int, *, now: datetime) -> Question:
    kind = TYPES[q["type"]]
    shown_if = q.get("show_if")
    suggestions = ", ".join(q.get("choices", [])) if q["type"] == "choice_or_text" else ""
    return Question(
        event_id=event_id,
        key=key,
        version=q.get("version", 1),
        position=position,
        type=kind,
        label=q["label"],
        help=q.get("help", "") or (f"For example: {suggestions}." if suggestions else ""),
        required=q.get("required", False),
        stage=Stage.APPLY if key in APPLICANTS else Stage.REGISTER,
        choices=[[c, in_words(c)] for c in q.get("choices", [])]
        if kind is QuestionType.ONE_CHOICE
        else [],
        show_if={"question": shown_if, "is": [True]} if shown_if else None,
        visible_to=Audience.STEWARD if key in STEWARD else AUDIENCES[q["roster"]],
        sensitive=q.get("sensitive", False),
        delete_after_days=q.get("delete_after_days", 30 if q.get("sensitive") else None),
        column_title=in_words(key)[:80],
        created_at=now,
    )


def make_answer(
    question: Question,
    value: Any,
    registration_id: int | None = None,
    *,
    application_id: int | None = None,
    at: datetime,
) -> Answer:
    """Return an answer row of a registration or of an application; a sensitive value is sealed."""
    if isinstance(value, dict):
        value = ", ".join(str(v) for v in value.values())
    where = "sealed" if question.sensitive else "value"
    return Answer(
        registration_id=registration_id,
        application_id=application_id,
        question=question,
        key=question.key,
        answered_at=at,
        **{where: value},
    )


# Fields of medicine are called as people call them.
FIELDS = {
    "physician_family": "Family medicine",
    "physician_internal": "Internal medicine",
    "physician_pediatrics": "Pediatrics",
    "physician_psychiatry": "Psychiatry",
    "physician_palliative": "Palliative medicine",
    "physician_other": "Another field of medicine",
    "marriage_family_therapist": "Marriage and family therapist",
}


def in_words(value: str) -> str:
    """Return "One intensive" for "one_intensive"."""
    if value in FIELDS:
        return FIELDS[value]
    words = value.replace("_", " ").replace("co led", "co-led")
    return words[:1].upper() + words[1:]
