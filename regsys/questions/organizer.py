"""Where organizers decide what an event's form asks."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.events.kinds import Enrollment
from regsys.events.queries import get_event, list_events
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Forbidden, IllegalMove, NotFound, Refused
from regsys.kernel.text import N_, whole_number
from regsys.questions import editor, library, queries
from regsys.questions.editor_form import AUDIENCES, TYPES, QuestionForm
from regsys.questions.models import Question
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.undo import flash_undo

blueprint = Blueprint("questions_organizer", __name__)


@blueprint.get("/organize/events/<int:event_id>/questions")
@requires("registrar")
def questions(event_id: int) -> ResponseReturnValue:
    """List what the form asks, and what else it could ask."""
    return _list(event_id)


def _list(event_id: int, **more: Any) -> str:
    event, current = get_event(event_id), queries.list_questions(event_id)
    there = {q.key for q in current}
    groups = (
        (_("About them"), library.ABOUT_THEM),
        (_("In the group"), library.IN_THE_GROUP),
        (_("Agreements and consent"), library.AGREEMENTS),
        (_("Practical"), library.PRACTICAL),
    )
    others = list_events(ids=_scope())
    return render_template(
        "questions/organize_questions.html",
        event=event,
        current=current,
        labels={q.key: q.label for q in current},
        answers=editor.count_answers([q.id for q in current]),
        usual=[(title, [s for s in found if s.key not in there]) for title, found in groups],
        others=[e for e in others if e.id != event_id],
        types=dict(TYPES),
        audiences=dict(AUDIENCES),
        **more,
    )


def _scope() -> list[int] | None:
    scope = current_actor().scope("registrar")
    return None if scope is None else sorted(scope)


@blueprint.post("/organize/events/<int:event_id>/questions/usual")
@requires("registrar")
def add_usual(event_id: int) -> ResponseReturnValue:
    """Add usual questions to the form."""
    keys = request.form.getlist("key")
    return _done(event_id, lambda: _said(_add_usual(event_id, keys)))


def _add_usual(event_id: int, keys: list[str]) -> int:
    added = editor.add_from_library(event_id, keys, actor=current_actor(), now=clock.now())
    return len(added)


@blueprint.post("/organize/events/<int:event_id>/questions/take")
@requires("registrar")
def take(event_id: int) -> ResponseReturnValue:
    """Take over the questions of another event."""
    source = whole_number(request.form.get("event", "")) or 0
    if not current_actor().has("registrar", event_id=source):
        raise Forbidden
    return _done(event_id, lambda: _said(_take(source, event_id)))


def _take(source: int, event_id: int) -> int:
    get_event(source)
    added = editor.copy_questions(source, event_id, actor=current_actor(), now=clock.now())
    return len(added)


def _said(count: int) -> str:
    if not count:
        return _("Nothing was added: they are there already.")
    return ngettext("One question was added.", "%(num)d questions were added.", count)


@blueprint.route("/organize/events/<int:event_id>/questions/new", methods=["GET", "POST"])
@requires("registrar")
def new_question(event_id: int) -> ResponseReturnValue:
    """Write a question of your own."""
    form = QuestionForm.of(None, queries.list_questions(event_id), staged=_is_staged(event_id))

    def act() -> None:
        wording, actor, now = form.facts(), current_actor(), clock.now()
        editor.add_question(event_id, wording, actor=actor, now=now)

    return _answer(event_id, form, None, act)


@blueprint.route("/organize/events/<int:event_id>/questions/<key>", methods=["GET", "POST"])
@requires("registrar")
def edit_question(event_id: int, key: str) -> ResponseReturnValue:
    """Change a question."""
    question, earlier = _get(event_id, key)
    form = QuestionForm.of(question, earlier, staged=_is_staged(event_id))

    def act() -> None:
        wording, seen = form.facts(), form.seen.data or 0
        actor, now = current_actor(), clock.now()
        editor.change_question(event_id, key, wording, seen=seen, actor=actor, now=now)

    return _answer(event_id, form, question, act)


def _is_staged(event_id: int) -> bool:
    return get_event(event_id).enrollment is Enrollment.APPLICATION


def _get(event_id: int, key: str) -> tuple[Question, list[Question]]:
    """Get a question with those that stand before it."""
    current = queries.list_questions(event_id)
    place = next((i for i, q in enumerate(current) if q.key == key), None)
    if place is None:
        raise NotFound(N_("There is no such question."))
    return current[place], current[:place]


def _answer(
    event_id: int, form: QuestionForm, question: Question | None, act: Callable[[], None]
) -> ResponseReturnValue:
    """Show the form, or run the verb; where it is refused what was typed stays."""
    event = get_event(event_id)
    answered = bool(question and editor.count_answers([question.id]))

    def shown(**trouble: Any) -> str:
        facts = {"event": event, "form": form, "question": question, "answered": answered}
        return render_template("questions/organize_question.html", **facts, **trouble)

    if not form.is_submitted():
        return shown()
    if not form.validate():
        return shown(), 422
    try:
        with transaction():
            act()
    except Refused as e:
        return shown(problem=refusal_text(e)), 409
    except IllegalMove:
        if question is not None:
            form.renew(editor.mark_of(_get(event_id, question.key)[0]))
        return shown(stale=None), 409
    flash(_("Saved."), "good")
    return redirect(url_for("questions_organizer.questions", event_id=event_id), 303)


@blueprint.post("/organize/events/<int:event_id>/questions/<key>/move")
@requires("registrar")
def move(event_id: int, key: str) -> ResponseReturnValue:
    """Move a question one place up or down."""
    up = request.form.get("to") == "up"

    def act() -> str | None:
        moved = editor.move_question(event_id, key, up=up, actor=current_actor(), now=clock.now())
        return _("The question is moved.") if moved else None

    return _done(event_id, act, undo={"to": "down" if up else "up"})


@blueprint.post("/organize/events/<int:event_id>/questions/<key>/retire")
@requires("registrar")
def retire(event_id: int, key: str) -> ResponseReturnValue:
    """Ask a question no longer."""

    def act() -> str:
        editor.retire_question(event_id, key, actor=current_actor(), now=clock.now())
        return _("It is no longer asked.")

    return _done(event_id, act)


def _done(
    event_id: int, act: Callable[[], str | None], *, undo: dict[str, str] | None = None
) -> ResponseReturnValue:
    """Run a verb and return to the list; where it is refused the list says why. `undo`: what takes it back."""
    try:
        with transaction():
            said = act()
    except Refused as e:
        return _list(event_id, problem=refusal_text(e)), 409
    if said and undo:
        flash_undo(said, request.path, **undo)
    elif said:
        flash(said, "good")
    return redirect(url_for("questions_organizer.questions", event_id=event_id), 303)
