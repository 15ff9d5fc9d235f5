"""Which passwords are good, and how long sessions last."""

from datetime import UTC, datetime, timedelta

import pytest

from regsys.accounts import rules
from regsys.accounts.kinds import Role

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
HOURS = timedelta(hours=1)


@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        ("three plums in an icebox", True),
        ("Gkö8!xxqPw2z", True),
        ("elevenchars", False),
        ("", False),
        ("abababababababab", False),
        ("tilda.marchbanks@example.org", False),
        ("marchbanks-2026", False),
        ("Tilda Marchbanks!", False),
        ("x1y2" * 51, False),
    ],
)
def test_passwords(password: str, is_good: bool) -> None:
    problem = rules.password_problem(
        password, email="tilda.marchbanks@example.org", name="Tilda Marchbanks"
    )
    assert (problem is None) is is_good


def test_an_organizers_session_ends_twelve_hours_after_signing_in() -> None:
    end = rules.session_end({Role.REGISTRAR}, started=NOW, now=NOW + 11 * HOURS)
    assert end == NOW + 12 * HOURS


def test_a_leaders_session_slides() -> None:
    end = rules.session_end(set(), started=NOW, now=NOW + 300 * HOURS)
    assert end == NOW + 300 * HOURS + timedelta(days=14)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (set(), False),
        ({Role.HOST_COORDINATOR}, False),
        ({Role.OWNER}, True),
        ({Role.HOST_COORDINATOR, Role.TREASURER}, True),
    ],
)
def test_who_signs_in_by_password(roles: set[Role], expected: bool) -> None:
    assert rules.is_organizer(roles) is expected
