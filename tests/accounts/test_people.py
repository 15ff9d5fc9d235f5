"""An owner gives roles and ends them; nobody else does."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.accounts.kinds import Role
from regsys.accounts.models import Grant, User
from regsys.audit.models import AuditEntry
from regsys.kernel.db import db as product_db
from regsys.outbox.models import Message
from tests import cast
from tests.support.typist import Typist

pytestmark = pytest.mark.once
NEW = {"first_name": "Fern", "last_name": "Harrow", "email": "fern@example.org"}


def _grants(email: str) -> set[tuple[Role, int | None]]:
    product_db.session.rollback()
    query = select(Grant).join(User).where(User.email == email)
    return {(g.role, g.event_id) for g in product_db.session.scalars(query)}


def test_a_reviewer_of_one_event_is_made_and_ended_by_pages(
    client: FlaskClient, app: Any, db: Any, now: Any
) -> None:
    event = cast.make_event()
    event_id = event.id
    owner = cast.sign_in(client, "owner")
    owner_id = owner.id
    desk = Typist(client)
    page = desk.get("/organize/people/add")
    missing = desk.send(page, {**NEW, "last_name": "", "role": "reviewer"}, action="")
    assert (missing.status, "Write the last name." in missing.text) == (422, True)
    assert 'value="fern@example.org"' in missing.text
    made = desk.send(page, {**NEW, "role": "reviewer", "event": str(event_id)}, action="")
    assert _grants("fern@example.org") == {(Role.REVIEWER, event_id)}
    letter = product_db.session.scalars(select(Message)).one()
    assert (letter.to_email, letter.kind) == ("fern@example.org", "accounts.set_password")
    again = desk.send(page, {**NEW, "role": "reviewer"}, action="")
    assert (again.status, "with this address already" in again.text) == (409, True)

    one = desk.follow(made)
    desk.send(one, {"role": "registrar"}, names=["role"], action="/roles")
    assert _grants("fern@example.org") == {(Role.REVIEWER, event_id), (Role.REGISTRAR, None)}
    twice = desk.send(
        one, {"role": "reviewer", "event": str(event_id)}, names=["role"], action="/roles"
    )
    assert (twice.status, "They have this role already." in twice.text) == (409, True)
    grant_id = product_db.session.scalars(
        select(Grant.id).where(Grant.role == Role.REGISTRAR)
    ).one()
    desk.send(desk.get(one.url), {}, action=f"/roles/{grant_id}/end")
    assert _grants("fern@example.org") == {(Role.REVIEWER, event_id)}
    desk.send(desk.get(one.url), {}, action="/active")
    product_db.session.rollback()
    assert (
        not product_db.session.scalars(select(User).where(User.email == NEW["email"])).one().active
    )

    own = desk.get(f"/organize/people/{owner_id}")
    (mine,) = product_db.session.scalars(select(Grant.id).where(Grant.user_id == owner_id))
    last = desk.send(own, {}, action=f"/roles/{mine}/end")
    assert (last.status, "the last owner" in last.text) == (409, True)
    deeds = list(product_db.session.scalars(select(AuditEntry.action)))
    for deed in ("account.added", "account.role_given", "account.role_ended", "account.shut_out"):
        assert deeds.count(deed) == 1, deed


@pytest.mark.parametrize("role", ["registrar", "treasurer", "reviewer"])
def test_nobody_but_an_owner_sees_who_signs_in(
    client: FlaskClient, db: Any, now: Any, role: str
) -> None:
    cast.sign_in(client, role)
    for path in ("/organize/people", "/organize/people/add", "/organize/people/1"):
        assert client.get(path).status_code == 403
