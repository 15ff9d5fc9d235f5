"""Signing in and out, in a browser without JavaScript."""

import re
import statistics
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from regsys.accounts import jobs, queries
from regsys.accounts.kinds import Purpose, Role
from regsys.jobs.models import Job
from regsys.kernel.db import transaction
from regsys.web.security import count_and_limit
from tests.accounts.door import (
    PASSWORD,
    add,
    add_organizer,
    cookie,
    is_signed_in,
    letters,
    link_for,
    post,
    token_of,
)
from tests.cast import make_event, make_user


def by_password(client: FlaskClient, email: str, password: str = PASSWORD, **more: Any) -> Any:
    return post(client, "/signin", email=email, password=password, **more)


def ask(client: FlaskClient, email: str, **more: Any) -> Any:
    return post(client, "/signin", "/signin/mail", email=email, **more)


def do_jobs(db: Any) -> None:
    """Write the letters that were asked for."""
    db.session.rollback()
    payloads = [j.payload for j in db.session.query(Job).filter_by(kind="accounts.mail_link")]
    db.session.rollback()
    for payload in payloads:
        jobs.mail_link(payload)


# ---- by password


def test_an_organizer_signs_in_by_password_and_out_again(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    add_organizer(now)
    answer = by_password(client, "Tilda@Example.org")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/organize")
    assert is_signed_in(client)
    assert post(client, "/account", "/signout").status_code == 303
    assert not is_signed_in(client)


def test_after_signing_in_one_is_where_one_wanted_to_be(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    add_organizer(now)
    away = client.get("/organize/messages?state=failed").headers["Location"]
    form = client.get(away).text
    assert 'name="next" value="/organize/messages?state=failed"' in form
    answer = by_password(client, "tilda@example.org", next="/organize/messages?state=failed")
    assert answer.headers["Location"] == "/organize/messages?state=failed"


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_nobody_is_sent_to_another_site(
    client: FlaskClient, db: Any, now: datetime, target: str
) -> None:
    add_organizer(now)
    answer = by_password(client, "tilda@example.org", next=target)
    assert answer.headers["Location"] == "/organize"


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    add_organizer(now)
    wrong = by_password(client, "tilda@example.org", "not the right one")
    unknown = by_password(client, "nobody@example.org", "not the right one")
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert _plain(wrong.text).replace("tilda@", "nobody@") == _plain(unknown.text)
    assert "do not belong together" in wrong.text
    assert "not the right one" not in wrong.text
    assert token_of(client) is None


def _plain(html: str) -> str:
    return re.sub(r'name="csrf_token"[^>]*value="[^"]*"', "", html)


@pytest.mark.once
def test_the_time_does_not_tell_either(
    client: FlaskClient, db: Any, now: datetime, clock: Any
) -> None:
    add_organizer(now)
    times: dict[str, list[float]] = {"tilda@example.org": [], "nobody@example.org": []}
    by_password(client, "nobody@example.org", "warm up")
    for _ in range(9):
        clock.move(minutes=16)
        for email, taken in times.items():
            before = time.process_time()
            by_password(client, email, "not the right one")
            taken.append(time.process_time() - before)
    known, unknown = (statistics.median(t) for t in times.values())
    assert 0.8 < known / unknown < 1.25


def test_somebody_without_a_password_cannot_sign_in_by_one(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    leader = make_user("leader", event=make_event())
    assert by_password(client, leader.email, "").status_code == 422
    assert by_password(client, leader.email, "None").status_code == 422
    assert token_of(client) is None


def test_the_eleventh_try_in_a_quarter_of_an_hour_is_refused_even_if_right(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    add_organizer(clock.now)
    for _ in range(10):
        assert by_password(client, "tilda@example.org", "wrong wrong wrong").status_code == 422
    refused = by_password(client, "TILDA@example.org")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    clock.move(minutes=15)
    assert by_password(client, "tilda@example.org").status_code == 303


def test_many_addresses_from_one_place_are_refused_too(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    with transaction():
        for _ in range(39):
            count_and_limit("password:from:127.0.0.1", limit=40, seconds=900, now=now, sentence="")
    statuses = [
        by_password(client, f"p{n}@example.org", "wrong wrong wrong").status_code for n in range(2)
    ]
    assert statuses == [422, 429]


def test_an_old_hash_is_replaced_at_the_next_sign_in(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    from argon2 import PasswordHasher  # slow import

    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    user = add_organizer(now)
    with transaction():
        queries.get_user(user).password_hash = old
    assert by_password(client, "tilda@example.org").status_code == 303
    db.session.rollback()
    stored = queries.get_user(user).password_hash
    assert stored is not None
    assert "m=19456,t=2,p=1" in stored


# ---- sessions


def test_signing_in_changes_the_token_and_keeps_only_the_cart(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    add_organizer(now)
    by_password(client, "tilda@example.org")
    first = token_of(client)
    with cookie(client) as session:
        session.update(cart="order-token", planted="by somebody else")
    client.get("/signin")
    answer = post(client, "/account", "/signin", email="tilda@example.org", password=PASSWORD)
    assert answer.status_code == 303
    with cookie(client) as session:
        assert session["cart"] == "order-token"
        assert "planted" not in session
    assert token_of(client) != first
    assert first is not None
    assert queries.find_session(first, now=now) is None


def test_the_cookie_is_closed_to_scripts_and_other_sites(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    add_organizer(now)
    cookies = by_password(client, "tilda@example.org").headers.getlist("Set-Cookie")
    (set_cookie,) = [c for c in cookies if c.startswith("regsys=")]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(set_cookie.split("; "))


def test_over_tls_the_cookie_is_secure(
    make_app: Callable[..., Flask], settings: Any, db: Any, now: datetime
) -> None:
    add_organizer(now)
    client = make_app(settings.replace(BASE_URL="https://circle.example.org")).test_client()
    page = client.get("/signin", base_url="https://circle.example.org")
    assert "Secure" in page.headers["Set-Cookie"].split("; ")


def test_an_organizer_works_twelve_hours_and_no_longer(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    add_organizer(clock.now)
    by_password(client, "tilda@example.org")
    clock.move(hours=11, minutes=59)
    assert is_signed_in(client)
    clock.move(minutes=1)
    assert not is_signed_in(client)


def test_a_leader_stays_signed_in_while_they_come_back(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    leader = make_user("leader", event=make_event())
    token = link_for(leader.id, Purpose.SIGN_IN, now=clock.now)
    post(client, f"/signin/link?token={token}", "/signin/link", token=token)
    for _ in range(3):
        clock.move(days=13)
        assert is_signed_in(client)
    clock.move(days=14)
    assert not is_signed_in(client)


def test_signing_out_everywhere_reaches_other_browsers(
    app: Flask, client: FlaskClient, db: Any, now: datetime
) -> None:
    add_organizer(now)
    other = app.test_client()
    for browser in (client, other):
        by_password(browser, "tilda@example.org")
    assert client.get("/account").text.count("<tr>") == 3
    post(client, "/account", "/account/sign-out-everywhere")
    assert not is_signed_in(client)
    assert not is_signed_in(other)


def test_signing_out_needs_a_form_of_ours(client: FlaskClient, db: Any, now: datetime) -> None:
    add_organizer(now)
    by_password(client, "tilda@example.org")
    assert client.post("/signout").status_code == 400
    assert client.get("/signout").status_code == 405
    assert is_signed_in(client)


# ---- by a mailed link


def test_a_leader_asks_for_a_link_and_signs_in_with_it(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    event = make_event()
    leader = make_user("leader", event=event)
    assert ask(client, leader.email, next="/lead").headers["Location"] == "/signin/sent"
    do_jobs(db)
    (letter,) = letters()
    assert letter.links is not None
    path = letter.links["sign_in"].removeprefix("http://127.0.0.1:5000")
    page = client.get(path)
    assert page.status_code == 200
    assert page.text.count("<button") == 1
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert not is_signed_in(client)
    answer = post(client, path, "/signin/link", token=path.partition("token=")[2])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/lead")
    assert is_signed_in(client)


def test_opening_the_link_any_number_of_times_uses_nothing_up(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    leader = make_user("leader", event=make_event())
    token = link_for(leader.id, Purpose.SIGN_IN, now=now)
    for _ in range(3):
        assert client.get(f"/signin/link?token={token}").status_code == 200
    assert client.head(f"/signin/link?token={token}").status_code == 200
    assert queries.is_link_good(token, Purpose.SIGN_IN, now=now)


def test_a_link_is_spent_after_its_use(
    app: Flask, client: FlaskClient, db: Any, now: datetime
) -> None:
    leader = make_user("leader", event=make_event())
    token = link_for(leader.id, Purpose.SIGN_IN, now=now)
    page = f"/signin/link?token={token}"
    assert post(client, page, "/signin/link", token=token).status_code == 303
    other = app.test_client()
    again = post(other, "/signin", "/signin/link", token=token)
    assert again.status_code == 409
    assert "Mail me a new link" in again.text
    assert not is_signed_in(other)
    assert client.get(page).status_code == 409


def test_asking_is_answered_alike_for_every_address(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    add_organizer(now)
    leader = make_user("leader", event=make_event())
    emails = ("tilda@example.org", leader.email, "nobody@example.org")
    answers = [ask(client, email) for email in emails]
    assert {a.headers["Location"] for a in answers} == {"/signin/sent"}
    assert {a.data for a in answers} == {answers[0].data}
    assert letters() == []  # nothing is written while the visitor waits
    do_jobs(db)
    assert {m.to_email for m in letters()} == {"tilda@example.org", leader.email}


def test_the_fifth_letter_in_a_quarter_of_an_hour_is_refused(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    statuses = [ask(client, "nobody@example.org").status_code for _ in range(5)]
    assert statuses == [303, 303, 303, 303, 429]


def test_something_that_is_no_address_keeps_what_was_typed(client: FlaskClient) -> None:
    answer = ask(client, "tilda at example")
    assert answer.status_code == 422
    assert 'value="tilda at example"' in answer.text
    assert "does not look like an e-mail address" in answer.text


# ---- a new password


def test_an_organizer_sets_a_new_password_by_link(
    app: Flask, client: FlaskClient, db: Any, now: datetime
) -> None:
    user = add_organizer(now)
    elsewhere = app.test_client()
    by_password(elsewhere, "tilda@example.org")
    token = link_for(user, Purpose.SET_PASSWORD, now=now)
    page = f"/signin/password/new?token={token}"
    weak = post(client, page, "/signin/password/new", token=token, password="marchbanks26")
    assert weak.status_code == 422
    assert "too close to your name" in weak.text
    answer = post(client, page, "/signin/password/new", token=token, password="a kettle, two cups")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/organize")
    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert client.get(page).status_code == 409
    assert by_password(elsewhere, "tilda@example.org").status_code == 422
    assert by_password(elsewhere, "tilda@example.org", "a kettle, two cups").status_code == 303


def test_a_link_to_sign_in_sets_no_password(client: FlaskClient, db: Any, now: datetime) -> None:
    token = link_for(add_organizer(now), Purpose.SIGN_IN, now=now)
    page = post(
        client, "/signin", "/signin/password/new", token=token, password="a kettle, two cups"
    )
    assert page.status_code == 409
    assert queries.is_link_good(token, Purpose.SIGN_IN, now=now)


# ---- the demo


def test_in_the_sandbox_the_page_lists_who_may_sign_in(client: FlaskClient, settings: Any) -> None:
    (settings.DATA_DIR / "sign-ins.json").write_text(
        '[{"who": "Owner: P", "email": "p@example.org", "password": "ten chairs"},'
        ' {"who": "Leader: M", "email": "m@example.org", "password": null}]'
    )
    page = client.get("/signin").text
    assert "p@example.org<br><code>ten chairs</code>" in page
    assert "m@example.org" in page
    assert 'href="/outbox"' in page


def test_outside_of_the_sandbox_nobody_is_listed(
    make_app: Callable[..., Flask], settings: Any
) -> None:
    (settings.DATA_DIR / "sign-ins.json").write_text('[{"who": "x", "email": "p@example.org"}]')
    live = make_app(settings.replace(SANDBOX=False))
    assert "p@example.org" not in live.test_client().get("/signin").text


def test_a_person_without_any_role_sees_no_pages_of_others(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    add("plain@example.org", password=PASSWORD, now=now)
    assert by_password(client, "plain@example.org").status_code == 303
    assert client.get("/organize/messages").status_code == 403
    assert add("late@example.org", Role.REVIEWER, now=now) > 0
