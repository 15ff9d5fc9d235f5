"""What the tests of signing in share: a browser that carries the form's token along."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flask.testing import FlaskClient

from regsys.accounts import services
from regsys.accounts.kinds import Purpose, Role
from regsys.accounts.setup import TOKEN
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.outbox.models import Message

PASSWORD = "three plums in an icebox"


def post(client: FlaskClient, page: str, action: str | None = None, /, **values: Any) -> Any:
    """Open a page, and send one of its forms with the values."""
    html = client.get(page).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', html)
    assert token, f"no form on {page}"
    return client.post(action or page, data={"csrf_token": token[1], **values})


def add(email: str, *roles: Role, password: str | None = None, now: datetime) -> int:
    """Add a person called Tilda Marchbanks, and return the id."""
    with transaction():
        return services.add_user(
            email,
            first_name="Tilda",
            last_name="Marchbanks",
            grants=[(role, None) for role in roles],
            password_hash=services.hash_password(password) if password else None,
            actor=SYSTEM,
            now=now,
        )


def add_organizer(now: datetime, *, email: str = "tilda@example.org") -> int:
    """Add a registrar who knows PASSWORD."""
    return add(email, Role.REGISTRAR, password=PASSWORD, now=now)


def link_for(user_id: int, purpose: Purpose, *, now: datetime, target: str | None = None) -> str:
    """Return the token of a fresh link."""
    with transaction():
        return services.new_link(user_id, purpose, now=now, target=target)


def letters() -> list[Message]:
    """List the letters that were written, in order."""
    db.session.rollback()
    return list(db.session.query(Message).order_by(Message.id))


@contextmanager
def cookie(client: FlaskClient) -> Iterator[Any]:
    """Look into the session cookie, or change it."""
    with client.session_transaction() as session:
        yield session


def is_signed_in(client: FlaskClient) -> bool:
    """Ask for a page that only people who are signed in see."""
    return client.get("/account").status_code == 200


def token_of(client: FlaskClient) -> str | None:
    """Return the token in the cookie."""
    with cookie(client) as session:
        found: str | None = session.get(TOKEN)
        return found
