"""People, links and sessions in the database."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from regsys.accounts import queries, services
from regsys.accounts.kinds import Purpose, Role
from regsys.accounts.models import MailedLink, SignInSession
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from tests.accounts.door import PASSWORD, add, add_organizer, letters, link_for
from tests.cast import make_event, make_user


def test_a_password_is_stored_as_argon2id_and_checked(db: Any) -> None:
    stored = services.hash_password(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert services.is_password(PASSWORD, stored)
    assert not services.is_password(PASSWORD + "x", stored)
    assert not services.is_password(PASSWORD, None)
    assert not services.is_password(PASSWORD, "no hash at all")


def test_a_hash_of_other_parameters_is_made_anew(db: Any) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    newer = services.newer_hash(PASSWORD, old)
    assert newer is not None
    assert services.is_password(PASSWORD, newer)
    assert services.newer_hash(PASSWORD, newer) is None


def test_an_address_belongs_to_one_person_in_any_spelling(db: Any, now: datetime) -> None:
    add_organizer(now)
    with pytest.raises(Refused):
        add("TILDA@Example.org", now=now)
    found = queries.find_active_user(" Tilda@EXAMPLE.org ")
    assert found is not None
    assert found.email == "tilda@example.org"


def test_a_link_works_once_and_not_for_another_purpose(db: Any, now: datetime) -> None:
    user = add_organizer(now)
    token = link_for(user, Purpose.SIGN_IN, now=now, target="/lead")
    with pytest.raises(Refused), transaction():
        services.use_link(token, Purpose.SET_PASSWORD, now=now)
    with transaction():
        assert services.use_link(token, Purpose.SIGN_IN, now=now) == (user, "/lead")
    with pytest.raises(Refused), transaction():
        services.use_link(token, Purpose.SIGN_IN, now=now)


def test_a_link_ends_after_twenty_minutes(db: Any, now: datetime) -> None:
    token = link_for(add_organizer(now), Purpose.SIGN_IN, now=now)
    late = now + timedelta(minutes=20)
    assert queries.is_link_good(token, Purpose.SIGN_IN, now=late - timedelta(seconds=1))
    assert not queries.is_link_good(token, Purpose.SIGN_IN, now=late)
    with pytest.raises(Refused), transaction():
        services.use_link(token, Purpose.SIGN_IN, now=late)


def test_tokens_are_stored_as_hashes_only(db: Any, now: datetime) -> None:
    user = add_organizer(now)
    link = link_for(user, Purpose.SIGN_IN, now=now)
    with transaction():
        session = services.start_session(user, how="password", old_token=None, now=now)
    stored = {*db.session.scalars(select(MailedLink.token_hash))}
    stored |= {*db.session.scalars(select(SignInSession.token_hash))}
    assert len(stored) == 2
    assert not stored & {link, session}


def test_a_leader_is_mailed_a_link_and_an_organizer_one_for_a_password(
    db: Any, now: datetime
) -> None:
    add_organizer(now)
    leader = make_user("leader", event=make_event())
    for email in ("tilda@example.org", leader.email, "nobody@example.org"):
        with transaction():
            services.mail_link(email, target=None, now=now)
    assert [(m.kind, m.to_email, list(m.links or {})) for m in letters()] == [
        ("accounts.set_password", "tilda@example.org", ["password"]),
        ("accounts.sign_in", leader.email, ["sign_in"]),
    ]


def test_somebody_who_was_switched_off_gets_no_link_and_has_no_session(
    db: Any, now: datetime
) -> None:
    user = add_organizer(now)
    token = link_for(user, Purpose.SIGN_IN, now=now)
    with transaction():
        session = services.start_session(user, how="password", old_token=None, now=now)
    with transaction():
        queries.get_user(user).active = False
    with transaction():
        services.mail_link("tilda@example.org", target=None, now=now)
    assert letters() == []
    assert queries.find_session(session, now=now) is None
    with pytest.raises(Refused), transaction():
        services.use_link(token, Purpose.SIGN_IN, now=now)


def test_a_new_password_ends_every_session_and_every_link(db: Any, now: datetime) -> None:
    user = add_organizer(now)
    link = link_for(user, Purpose.SET_PASSWORD, now=now)
    with transaction():
        session = services.start_session(user, how="password", old_token=None, now=now)
    with transaction():
        services.set_password(user, "new hash", actor=SYSTEM, now=now)
    assert queries.find_session(session, now=now) is None
    assert not queries.is_link_good(link, Purpose.SET_PASSWORD, now=now)


def test_roles_come_from_grants_and_from_leading(db: Any, now: datetime) -> None:
    event = make_event()
    leader = make_user("leader", event=event)
    scoped = make_user("registrar", event=event)
    owner = add("o@example.org", Role.OWNER, now=now)
    assert queries.actor_of(leader).roles == {("leader", event.id)}
    assert queries.actor_of(scoped).roles == {("registrar", event.id)}
    assert queries.actor_of(queries.get_user(owner)).roles == {("owner", None)}


def test_what_is_over_is_forgotten(db: Any, now: datetime) -> None:
    user = add_organizer(now)
    link_for(user, Purpose.SIGN_IN, now=now)
    with transaction():
        services.start_session(user, how="password", old_token=None, now=now)
    with transaction():
        services.tidy(now=now + timedelta(hours=13))
    assert db.session.scalars(select(SignInSession)).all() == []
    assert len(db.session.scalars(select(MailedLink)).all()) == 1
    with transaction():
        services.tidy(now=now + timedelta(days=8))
    assert db.session.scalars(select(MailedLink)).all() == []
