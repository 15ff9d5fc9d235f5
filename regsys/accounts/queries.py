"""Reading accounts."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import current_app
from sqlalchemy import Table, select
from sqlalchemy.orm import joinedload

from regsys.accounts import rules
from regsys.accounts.kinds import Purpose, Role
from regsys.accounts.models import Grant, MailedLink, SignInSession, User
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_, email_key
from regsys.kernel.tokens import hash_token

# Rooms above add functions here: user id → roles that follow from their own tables.
EXTRA_ROLES = "regsys.extra_roles"
RoleSource = Callable[[int], Iterable[tuple[str, int | None]]]


def get_user(user_id: int) -> User:
    """Get a person; raise NotFound."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound(N_("There is no such person."))
    return user


def is_known(email: str) -> bool:
    """Tell whether there is a person with this address, active or not."""
    query = select(User.id).where(User.email_key == email_key(email))
    return db.session.scalar(query) is not None


def find_active_user(email: str) -> User | None:
    """Find a person who may sign in, by address in any spelling."""
    query = select(User).where(User.email_key == email_key(email), User.active)
    return db.session.scalar(query)


def list_roles(user_id: int) -> set[Role]:
    """List the roles that were granted to a person, for whatever event."""
    return set(db.session.scalars(select(Grant.role).where(Grant.user_id == user_id)))


def find_session(token: str, *, now: datetime) -> SignInSession | None:
    """Find a live session, with its person."""
    query = (
        select(SignInSession)
        .join(SignInSession.user)
        .options(joinedload(SignInSession.user))
        .where(SignInSession.token_hash == hash_token(token), User.active)
        .where(SignInSession.expires_at > now)
    )
    return db.session.scalar(query)


def list_sessions(user_id: int, *, now: datetime) -> list[SignInSession]:
    """List where a person is signed in, the last used first."""
    query = (
        select(SignInSession)
        .where(SignInSession.user_id == user_id, SignInSession.expires_at > now)
        .order_by(SignInSession.seen_at.desc())
    )
    return list(db.session.scalars(query))


def actor_of(user: User) -> Actor:
    """Return a person with everything that they may do."""
    granted = select(Grant.role, Grant.event_id).where(Grant.user_id == user.id)
    roles = {(str(role), event_id) for role, event_id in db.session.execute(granted)}
    sources: list[RoleSource] = current_app.extensions.get(EXTRA_ROLES, [])
    for source in sources:
        roles.update(source(user.id))
    return Actor("user", user.id, user.name, user.email, frozenset(roles))


def is_link_good(token: str, purpose: Purpose, *, now: datetime) -> bool:
    """Tell whether a mailed link can still be used."""
    query = select(MailedLink.id).where(
        MailedLink.token_hash == hash_token(token),
        MailedLink.purpose == purpose,
        MailedLink.used_at.is_(None),
        MailedLink.expires_at > now,
    )
    return db.session.scalar(query) is not None


@dataclass(frozen=True)
class LinkOwner:
    """Whose link it is, for judging a new password."""

    email: str
    name: str


def find_link_owner(token: str, purpose: Purpose, *, now: datetime) -> LinkOwner | None:
    """Find whom a link that is still good belongs to."""
    if not is_link_good(token, purpose, now=now):
        return None
    query = select(User).join(MailedLink).where(MailedLink.token_hash == hash_token(token))
    user = db.session.scalars(query).one()
    return LinkOwner(user.email, user.name)


def find_event_id(slug: str) -> int | None:
    """Find an event by its slug; the table is known by the foreign key only, for events are a room above."""
    (key,) = Grant.__table__.c.event_id.foreign_keys
    table = key.column.table
    assert isinstance(table, Table)
    return db.session.scalar(select(table.c.id).where(table.c.slug == slug))


def purpose_for(user_id: int) -> Purpose:
    """Return which link a person is mailed: organizers set a password, everybody else signs in."""
    return Purpose.SET_PASSWORD if rules.is_organizer(list_roles(user_id)) else Purpose.SIGN_IN


def list_demo_sign_ins(data_dir: Path) -> list[dict[str, str | None]]:
    """List who may sign in to the demo ("who", "email", "password" or None), as its loader wrote it down."""
    file = data_dir / "sign-ins.json"
    return list(json.loads(file.read_text())) if file.is_file() else []
