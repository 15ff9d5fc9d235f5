"""`regsys user add`, inside this process; the command line itself is tried in tests/faults."""

from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result

from regsys.accounts import queries, services
from regsys.accounts.cli import user
from regsys.accounts.kinds import Purpose, Role
from tests.cast import make_event

pytestmark = pytest.mark.once
TILDA = ["add", "tilda@example.org", "--first", "Tilda", "--last", "Marchbanks"]


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(user, [*TILDA, *arguments], input=typed)


def roles_of(email: str) -> set[tuple[str, int | None]]:
    found = queries.find_active_user(email)
    assert found is not None
    return set(queries.actor_of(found).roles)


def test_a_registrar_is_added_with_a_password_that_is_asked_for(db: Any, now: datetime) -> None:
    good = "a kettle, two cups"
    done = run("--role", "registrar", typed=f"short\nshort\n{good}\n{good}\n")
    assert done.exit_code == 0, done.output
    assert "At least 12 characters" in done.output
    assert good not in done.output
    found = queries.find_active_user("tilda@example.org")
    assert found is not None
    assert services.is_password(good, found.password_hash)
    assert roles_of("tilda@example.org") == {("registrar", None)}


def test_a_link_is_printed_instead(db: Any, now: datetime) -> None:
    done = run("--role", "owner", "--role", "treasurer", "--link")
    assert done.exit_code == 0, done.output
    url = done.output.strip().splitlines()[-1]
    assert url.startswith("http://127.0.0.1:5000/signin/password/new?token=")
    token = url.partition("token=")[2]
    assert queries.is_link_good(token, Purpose.SET_PASSWORD, now=now)
    assert roles_of("tilda@example.org") == {("owner", None), ("treasurer", None)}


def test_a_role_may_hold_for_one_event(db: Any, now: datetime) -> None:
    event = make_event()
    done = run("--role", "registrar", "--event", event.slug, "--link")
    assert done.exit_code == 0, done.output
    assert roles_of("tilda@example.org") == {("registrar", event.id)}


def test_an_unknown_event_adds_nobody(db: Any, now: datetime) -> None:
    done = run("--role", "registrar", "--event", "nowhere", "--link")
    assert done.exit_code == 1
    assert "There is no event 'nowhere'" in done.output
    assert queries.find_active_user("tilda@example.org") is None


def test_somebody_without_a_role_signs_in_by_mail(db: Any, now: datetime) -> None:
    done = run()
    assert done.exit_code == 0, done.output
    assert "They sign in by a mailed link at http://127.0.0.1:5000/signin" in done.output


def test_a_role_that_there_is_not_is_refused() -> None:
    done = run("--role", "king")
    assert done.exit_code == 2
    assert str(Role.REGISTRAR) in done.output
