"""Verbs about people who sign in. A token is returned once and stored as a hash."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, update

from regsys.accounts import mail, queries, rules
from regsys.accounts.kinds import Purpose, Role
from regsys.accounts.models import Grant, MailedLink, SignInSession, User
from regsys.audit.services import record
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_, clean, email_key
from regsys.outbox import services as outbox
from regsys.web.security import forget_old_counts

# OWASP's choice for argon2id: 19 MiB a try, so that eight tries at once fit the memory of a small machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

ADDRESS_TAKEN = Refusal("AddressTaken", N_("There is a person with this address already."))


# ---- passwords: slow on purpose, so never inside a transaction


def hash_password(password: str) -> str:
    """Return what is stored of a password."""
    return _HASHER.hash(password)


@lru_cache(maxsize=1)
def _hash_of_nothing() -> str:
    return _HASHER.hash(tokens.new_token())


def is_password(password: str, stored: str | None) -> bool:
    """Compare a password; where none is stored it takes as long and says no."""
    try:
        _HASHER.verify(stored or _hash_of_nothing(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def newer_hash(password: str, stored: str) -> str | None:
    """Return a new hash where the parameters have changed since the old one was made."""
    return hash_password(password) if _HASHER.check_needs_rehash(stored) else None


# ---- people


def add_user(
    email: str,
    *,
    first_name: str,
    last_name: str,
    grants: Sequence[tuple[Role, int | None]] = (),
    password_hash: str | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Add a person and return the id; raise Refused if the address is known."""
    if queries.is_known(email):
        raise Refused(ADDRESS_TAKEN)
    user = User(
        first_name=clean(first_name),
        last_name=clean(last_name),
        email=clean(email),
        email_key=email_key(email),
        password_hash=password_hash,
        active=True,
        created_at=now,
        grants=[Grant(role=role, event_id=event_id) for role, event_id in grants],
    )
    db.session.add(user)
    db.session.flush()
    after = {"roles": [f"{role}:{event_id or 'all'}" for role, event_id in grants]}
    record("account.added", ("account", user.id), actor=actor, now=now, after=after)
    return user.id


def give_role(
    email: str,
    *,
    first_name: str,
    last_name: str,
    role: Role,
    event_id: int,
    actor: Actor,
    now: datetime,
) -> int:
    """Let somebody do something for one event, adding them if nobody signs in with this address; return their id."""
    user = queries.find_active_user(email)
    if user is None:
        names = {"first_name": first_name, "last_name": last_name}
        return add_user(email, **names, grants=[(role, event_id)], actor=actor, now=now)
    if (str(role), event_id) not in queries.actor_of(user).roles:
        db.session.add(Grant(user_id=user.id, role=role, event_id=event_id))
        after = {"role": f"{role}:{event_id}"}
        record("account.role_given", ("account", user.id), actor=actor, now=now, after=after)
        db.session.flush()
    return user.id


def take_role(user_id: int, role: Role, event_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a role for one event away; who never had it is left alone."""
    mine = (Grant.user_id == user_id, Grant.role == role, Grant.event_id == event_id)
    gone = db.session.scalars(delete(Grant).where(*mine).returning(Grant.id)).all()
    if gone:
        before = {"role": f"{role}:{event_id}"}
        record("account.role_taken", ("account", user_id), actor=actor, now=now, before=before)


def set_password(user_id: int, password_hash: str, *, actor: Actor, now: datetime) -> None:
    """Store a new password and sign this person out everywhere."""
    user = queries.get_user(user_id)
    user.password_hash = password_hash
    end_all_sessions(user_id)
    db.session.execute(delete(MailedLink).where(MailedLink.user_id == user_id))
    record("account.password_set", ("account", user_id), actor=actor, now=now)


def replace_hash(user_id: int, password_hash: str) -> None:
    """Store the same password under newer parameters."""
    queries.get_user(user_id).password_hash = password_hash


# ---- links


def new_link(
    user_id: int,
    purpose: Purpose,
    *,
    now: datetime,
    target: str | None = None,
    life: timedelta | None = None,
) -> str:
    """Make a link that works once, and return its token."""
    token = tokens.new_token()
    expires_at = now + (life or rules.LINK_LIFE[purpose])
    db.session.add(
        MailedLink(
            token_hash=tokens.hash_token(token),
            user_id=user_id,
            purpose=purpose,
            target=target,
            expires_at=expires_at,
        )
    )
    db.session.flush()
    return token


def mail_link(email: str, *, target: str | None, now: datetime) -> None:
    """Mail a link to whoever may sign in with this address; do nothing where nobody does."""
    user = queries.find_active_user(email)
    if user is None:
        return
    purpose = queries.purpose_for(user.id)
    token = new_link(user.id, purpose, now=now, target=target)
    outbox.enqueue(mail.link_letter(user, purpose, token), now=now)


def use_link(token: str, purpose: Purpose, *, now: datetime) -> tuple[int, str | None]:
    """Use up a link and return (user id, where to go); raise Refused if it was used, is too old or unknown.

    Two who open it at once: the row count lets one through.
    """
    used = (
        update(MailedLink)
        .where(MailedLink.token_hash == tokens.hash_token(token), MailedLink.purpose == purpose)
        .where(MailedLink.used_at.is_(None), MailedLink.expires_at > now)
        .values(used_at=now)
        .returning(MailedLink.user_id, MailedLink.target)
    )
    row = db.session.execute(used).one_or_none()
    if row is None or not queries.get_user(row.user_id).active:
        raise Refused(rules.LINK_SPENT)
    return row.user_id, row.target


# ---- sessions


def start_session(user_id: int, *, how: str, old_token: str | None, now: datetime) -> str:
    """Sign in: end the session that this browser had, and return the token of a new one."""
    if old_token:
        end_session(old_token)
    user = queries.get_user(user_id)
    token = tokens.new_token()
    roles = queries.list_roles(user_id)
    db.session.add(
        SignInSession(
            token_hash=tokens.hash_token(token),
            user_id=user_id,
            created_at=now,
            seen_at=now,
            expires_at=rules.session_end(roles, started=now, now=now),
        )
    )
    actor = Actor("user", user_id, user.name)
    record("account.signed_in", ("account", user_id), actor=actor, now=now, after={"how": how})
    return token


def touch_session(session_id: int, *, now: datetime) -> None:
    """Write down that a session is in use, and move its end where it slides."""
    session = db.session.get(SignInSession, session_id)
    if session is not None:
        roles = queries.list_roles(session.user_id)
        session.seen_at = now
        session.expires_at = rules.session_end(roles, started=session.created_at, now=now)


def end_session(token: str) -> None:
    """Sign this browser out."""
    db.session.execute(
        delete(SignInSession).where(SignInSession.token_hash == tokens.hash_token(token))
    )


def end_all_sessions(user_id: int) -> None:
    """Sign a person out everywhere."""
    db.session.execute(delete(SignInSession).where(SignInSession.user_id == user_id))


def tidy(*, now: datetime) -> None:
    """Forget sessions and links that are over, and old counters of the rate limits."""
    db.session.execute(delete(SignInSession).where(SignInSession.expires_at < now))
    db.session.execute(delete(MailedLink).where(MailedLink.expires_at < now - timedelta(days=7)))
    forget_old_counts(now)
