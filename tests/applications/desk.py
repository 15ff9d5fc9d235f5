"""What tests of applications share: an event to apply for, and somebody who applies."""

from collections.abc import Mapping
from typing import Any

from regsys.applications import services
from regsys.applications.models import Application
from regsys.applications.queries import find_standing
from regsys.applications.rules import Decision
from regsys.applications.services import Sheet
from regsys.events.kinds import Enrollment
from regsys.events.models import Event
from regsys.kernel import clock
from regsys.kernel.actors import ANONYMOUS, Actor
from regsys.kernel.db import transaction
from regsys.kernel.text import email_key
from regsys.questions.kinds import Stage
from tests.cast import a_person, make_event, make_question

ABOUT = {"profession": "Physician", "credentials": "MD", "workplace": "Copperline Clinic"}
REVIEWER = Actor("user", None, "Roswitha Calloway")


def make_call(**changes: Any) -> Event:
    """Make an event that takes applications: asked of applicants are goals, and something private."""
    event = make_event(enrollment=Enrollment.APPLICATION, **changes)
    make_question(event, "goals", "long_text", required=True, stage=Stage.APPLY)
    make_question(event, "needs", sensitive=True, stage=Stage.APPLY)
    make_question(event, "food")
    return event


def apply(
    event: Event, name: str = "Undine Nutkin", values: Mapping[str, Any] | None = None
) -> Application:
    """Send an application, and return it."""
    person = a_person(name)
    answers = {"goals": "Learn to lead", "needs": "A ramp"} if values is None else values
    sheet = Sheet(person, event.ticket_types[0].id, ABOUT, answers)
    with transaction():
        refusal = services.submit(event.id, sheet, draft_id=None, actor=ANONYMOUS, now=clock.now())
        assert refusal is None, refusal
    return fresh(event, name)


def fresh(event: Event, name: str = "Undine Nutkin") -> Application:
    """Return somebody's application as it stands now."""
    found = find_standing(event.id, email_key(a_person(name).email))
    assert found is not None
    return found


def decide(
    event: Event, *those: Application, how: Decision = Decision.ACCEPT, words: str = ""
) -> None:
    """Decide about applications as they were handed in."""
    seen = {a.id: a.version for a in those}
    with transaction():
        services.decide(event.id, seen, how, words=words, actor=REVIEWER, now=clock.now())
