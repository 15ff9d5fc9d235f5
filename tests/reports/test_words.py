"""Words for what was done, and for how things stand."""

import ast
from datetime import UTC, datetime, timedelta

import pytest

from regsys.audit.models import AuditEntry
from regsys.kernel.paths import root
from regsys.ledger.states import MOVES as REFUND_MOVES
from regsys.registration.states import RegistrationState
from regsys.reports.words import DEEDS, deed, in_days, needs_words

NOW = datetime(2026, 11, 25, 7, tzinfo=UTC)  # Tue 24 Nov, 11 PM in Seattle


def list_recorded() -> set[str]:
    """List the actions that the code writes into the audit by name."""
    found = set()
    for path in (root() / "regsys").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = node.func.id if isinstance(node.func, ast.Name) else name
            if name.lstrip("_") == "record" and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
    return found


def test_every_deed_that_is_written_down_has_words(app):
    recorded = list_recorded()
    assert len(recorded) > 20
    moves = {f"registration.{s}" for s in RegistrationState if s is not RegistrationState.DRAFT}
    moves |= {f"refund.{s}" for s in REFUND_MOVES}
    assert sorted((recorded | moves) - set(DEEDS)) == []


def test_a_deed_without_words_shows_its_own_name(app):
    with app.test_request_context():
        assert deed(AuditEntry(action="cart.was_lost")) == "cart: was lost"
        assert deed(AuditEntry(action="event.published")) == "published the event"


@pytest.mark.parametrize(
    ("days", "words"),
    [(-2, "2 days ago"), (-1, "1 day ago"), (0, "today"), (1, "tomorrow"), (2, "in 2 days")],
)
def test_days_are_counted_by_the_calendar_of_the_zone(app, days, words):
    with app.test_request_context():
        assert in_days(NOW + timedelta(days=days), NOW, "America/Los_Angeles") == words
        assert in_days(NOW + timedelta(minutes=61), NOW, "America/Los_Angeles") == "tomorrow"


def test_how_many_things_are_said_in_words(app):
    with app.test_request_context():
        said = [needs_words(n, "Tilda") for n in (0, 1, 4, 40)]
    assert said == [
        "Nothing needs you, Tilda",
        "One thing needs you, Tilda",
        "Four things need you, Tilda",
        "40 things need you, Tilda",
    ]
