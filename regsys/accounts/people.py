"""Who may sign in, and what they may do: roles are given and ended by an owner, and written down."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Table, and_, func, or_, select
from sqlalchemy.orm import selectinload

from regsys.accounts import queries, rules, services
from regsys.accounts.kinds import Role
from regsys.accounts.models import Grant, User
from regsys.audit.services import record
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_

MOST = 50


@dataclass(frozen=True)
class Wish:
    """Which people are listed."""

    words: str = ""
    role: Role | None = None
    page: int = 1


def list_people(wish: Wish, *, size: int = MOST) -> tuple[list[User], int]:
    """List one page of those who sign in, with their roles, those with a role first; and how many there are."""
    where: list[ColumnElement[bool]] = []
    for word in wish.words.split()[:5]:
        columns = (User.first_name, User.last_name, User.email)
        where.append(or_(*(c.icontains(word, autoescape=True) for c in columns)))
    if wish.role:
        where.append(User.grants.any(Grant.role == wish.role))
    total = db.session.scalar(select(func.count()).select_from(User).where(*where)) or 0
    roles = select(func.count()).where(Grant.user_id == User.id).scalar_subquery()
    query = (
        select(User)
        .where(*where)
        .options(selectinload(User.grants))
        .order_by(User.active.desc(), (roles > 0).desc(), User.last_name, User.id)
        .limit(size)
        .offset((max(wish.page, 1) - 1) * size)
    )
    return list(db.session.scalars(query)), total


def get_person(user_id: int) -> User:
    """Get a person with their roles, freshly read; raise NotFound."""
    query = select(User).where(User.id == user_id).options(selectinload(User.grants))
    user = db.session.scalar(query.execution_options(populate_existing=True))
    if user is None:
        raise NotFound(N_("There is no such person."))
    return user


def event_titles() -> dict[int, str]:
    """Return the titles of all events, the newest first; the table is known by the foreign key only."""
    (key,) = Grant.__table__.c.event_id.foreign_keys
    table = key.column.table
    assert isinstance(table, Table)
    query = select(table.c.id, table.c.title).order_by(table.c.starts_at.desc(), table.c.id)
    return {row.id: row.title for row in db.session.execute(query)}


def give_role(
    user_id: int, role: Role, event_id: int | None, *, actor: Actor, now: datetime
) -> bool:
    """Give a person a role, for one event or for all; return whether they need a password now.

    Raises Refused where they have it already.
    """
    lock_rows(User, [user_id])
    user = get_person(user_id)
    event_id = None if role is Role.OWNER else event_id
    if event_id is not None and event_id not in event_titles():
        raise NotFound(N_("There is no such event."))
    here = and_(Grant.user_id == user_id, Grant.role == role)
    scope = Grant.event_id.is_(None) if event_id is None else Grant.event_id == event_id
    if db.session.scalar(select(Grant.id).where(here, scope)):
        raise Refused(rules.HAS_ROLE)
    user.grants.append(Grant(role=role, event_id=event_id))
    db.session.flush()
    _record("account.role_given", user_id, role, event_id, actor, now)
    return user.password_hash is None and rules.is_organizer(queries.list_roles(user_id))


def end_role(user_id: int, grant_id: int, *, actor: Actor, now: datetime) -> None:
    """End a role; raise Refused for the last owner, NotFound where it has ended."""
    lock_rows(User, list(db.session.scalars(select(Grant.user_id).where(Grant.role == Role.OWNER))))
    grant = db.session.get(Grant, grant_id)
    if grant is None or grant.user_id != user_id:
        raise NotFound(N_("There is no such role."))
    if grant.role is Role.OWNER and not _other_owner(user_id):
        raise Refused(rules.LAST_OWNER)
    role, event_id = grant.role, grant.event_id
    db.session.delete(grant)
    db.session.flush()
    _record("account.role_ended", user_id, role, event_id, actor, now)


def set_active(user_id: int, *, active: bool, actor: Actor, now: datetime) -> None:
    """Let a person sign in, or not any more: then they are signed out everywhere. Raises Refused for the last owner."""
    owners = select(Grant.user_id).where(Grant.role == Role.OWNER)
    lock_rows(User, sorted({user_id, *db.session.scalars(owners)}))
    user = get_person(user_id)
    is_owner = any(g.role is Role.OWNER for g in user.grants)
    if not active and is_owner and not _other_owner(user_id):
        raise Refused(rules.LAST_OWNER)
    if user.active == active:
        return
    user.active = active
    if not active:
        services.end_all_sessions(user_id)
    deed = "account.let_in" if active else "account.shut_out"
    record(deed, ("account", user_id), actor=actor, now=now)


def _other_owner(user_id: int) -> bool:
    query = select(Grant.id).join(User, User.id == Grant.user_id)
    others = query.where(Grant.role == Role.OWNER, User.active, User.id != user_id)
    return db.session.scalar(others.limit(1)) is not None


def _record(
    action: str, user_id: int, role: Role, event_id: int | None, actor: Actor, now: datetime
) -> None:
    record(
        action,
        ("account", user_id),
        actor=actor,
        now=now,
        event_id=event_id,
        after={"role": f"{role}:{event_id or 'all'}"},
    )
