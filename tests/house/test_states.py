"""Only kernel.states.move() changes a state."""

from collections.abc import Callable

import pytest

from tests.house.laws.states import list_state_assignments
from tests.house.tree import Tree


def test_nothing_else_changes_a_state(house: Tree) -> None:
    assert list_state_assignments(house) == []


@pytest.mark.parametrize(
    "line",
    [
        "event.state = EventState.CLOSED",
        "a, event.state = 1, EventState.CLOSED",
        "self.event.state += 1",
        "event.state: str = 'closed'",
        "setattr(event, 'state', EventState.CLOSED)",
        "update(Event).where(Event.id == 1).values(state='closed')",
        "sa.update(Event).values(state='closed').where(Event.id == 1)",
        "update(Event).values({'state': 'closed'})",
        "update(Event).values({Event.state: 'closed'})",
        "query.update({'state': 'closed'})",
        "mine.values(state='closed')",
        "v = {'state': 'closed'}; update(Event).values(**v)",
        "text(\"UPDATE event SET title = '', state = 'closed' WHERE id = 1\")",
    ],
)
def test_a_planted_change_is_caught(line: str, planted: Callable[..., Tree]) -> None:
    tree = planted({"regsys/events/services.py": line})
    assert list_state_assignments(tree) == [
        "regsys/events/services.py:1 changes a state: only kernel.states.move() may"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "event = Event(state=EventState.DRAFT)",
        "insert(Event).values(state='draft')",
        "select(Event).where(Event.state == EventState.DRAFT)",
        "update(Event).values(title='')",
        "v = {'state': 'draft'}; insert(Event).values(**v)",
        "on_conflict(insert(Event).values(state='draft'))",
        "# state by UPDATE: one of many workers claims\nupdate(Job).values(state='done')",
    ],
)
def test_reading_and_creating_are_no_changes(line: str, planted: Callable[..., Tree]) -> None:
    assert list_state_assignments(planted({"regsys/events/services.py": line})) == []
