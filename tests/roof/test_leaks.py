"""Nobody reads what is not for them: a person full of marked secrets, every role, every page, letter and file."""

import io
import logging
import re
import zipfile
from collections.abc import Iterator, Mapping

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from regsys.aid.models import AidRequest
from regsys.events.kinds import OptionKind
from regsys.events.models import Option
from regsys.events.services import make_option_pool
from regsys.kernel import clock
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.leaders import queries as rosters
from regsys.leaders.mail import roster_letter
from regsys.outbox import services as outbox
from regsys.outbox.compose import fill
from regsys.outbox.models import Message
from regsys.questions.kinds import Audience
from regsys.questions.models import Answer
from regsys.registration import services
from regsys.registration.models import OptionChoice, Registration
from regsys.registration.states import RegistrationState as S
from tests.cast import a_person, make_question
from tests.house.visiting import Stop, list_stops
from tests.world import World

pytestmark = pytest.mark.once

# Each secret with who may see it, besides the owner where a registrar may.
MAY_SEE: Mapping[str, frozenset[str]] = {
    "MARKED-sealed": frozenset({"registrar"}),
    "MARKED-steward": frozenset(),
    "MARKED-desk": frozenset({"registrar", "themselves"}),
    "MARKED-note": frozenset({"registrar"}),
    # With whom somebody would share a room, and what a trainee said for the price.
    "MARKED-wish": frozenset({"registrar"}),
    "MARKED-training": frozenset({"registrar"}),
    # What somebody wrote for the committee of a fund, which never learns who it was.
    "MARKED-award": frozenset({"committee"}),
    # The first person's answers, where a place was handed over: the desk may look, the second person never.
    "MARKED-former": frozenset({"registrar"}),
}
# An owner opens whatever a registrar opens, and may read no more of these.
ASKER = "somebody.who.asks@example.org"
ROLES = ("visitor", "leader", "treasurer", "owner", "committee")
OWN = ("registration.attendee",)


def _answer(r: Registration, key: str, secret: str, audience: Audience, *, sealed: bool) -> None:
    event = r.event
    question = make_question(event, key, visible_to=audience, sensitive=sealed)
    with transaction():
        row = Answer(
            registration_id=r.id, question_id=question.id, key=key, answered_at=clock.now()
        )
        row.value, row.sealed = (None, secret) if sealed else (secret, None)
        db.session.add(row)


def _confess(r: Registration) -> None:
    """Let a registration hold every secret."""
    n = r.id
    _answer(r, f"sealed_{n}", "MARKED-sealed", Audience.ORGANIZER, sealed=True)
    _answer(r, f"steward_{n}", "MARKED-steward", Audience.STEWARD, sealed=True)
    _answer(r, f"desk_{n}", "MARKED-desk", Audience.ORGANIZER, sealed=False)
    with transaction():
        row = db.session.get_one(Registration, n)
        row.note = "MARKED-note"
        row.proof = {"kind": "trainee", "said": "MARKED-training", "on": "2026-11-24"}
    _wish(r, "MARKED-wish")


def _wish(r: Registration, secret: str) -> None:
    """Let somebody have a room, and say with whom they would share it."""
    with transaction():
        pool = make_option_pool(r.event_id, None)
        said = {"name": f"Shared {r.id}", "kind": OptionKind.ROOM, "price": 0, "asks_wish": True}
        room = Option(event_id=r.event_id, pool_id=pool.id, **said)
        db.session.add(room)
        db.session.flush()
        db.session.add(OptionChoice(registration_id=r.id, option_id=room.id, wish=secret))


def _hand_on(r: Registration) -> str:
    """Let somebody whose answers are secret hand their place over; return the second person's link."""
    for audience, sealed in ((Audience.ORGANIZER, True), (Audience.LEADERS, False)):
        _answer(r, f"former_{audience}", "MARKED-former", audience, sealed=sealed)
    _wish(r, "MARKED-former")
    with transaction():
        new = services.hand_over_for(
            r.order_id, r.id, a_person("Second Nutkin"), reason="ill", actor=SYSTEM, now=clock.now()
        )
        return new.token


def _ask(request_id: int) -> None:
    """Let somebody write a secret to the committee, with their own address in it."""
    with transaction():
        request = db.session.get_one(AidRequest, request_id)
        request.registration.email = ASKER
        request.words = f"MARKED-award, please answer to {ASKER}."


@pytest.fixture
def secrets(world: World) -> str:
    """Fill the people whom the samples show with secrets; return the second person's link."""
    shown = [world.registration.id, world.unpaid.id]
    led, taken = world.led_event.id, world.hand_over.registration_id
    with world.app.app_context():
        mine = select(Registration).where(Registration.state == S.CONFIRMED)
        shown += [
            r.id for r in db.session.scalars(mine.where(Registration.event_id == led).limit(1))
        ]
        for registration_id in dict.fromkeys(shown):
            _confess(db.session.get_one(Registration, registration_id))
        event_id = db.session.get_one(Registration, taken).event_id
        others = mine.where(Registration.event_id == event_id).order_by(Registration.id.desc())
        former = next(r for r in db.session.scalars(others) if r.id not in (taken, *shown))
        token = _hand_on(former)
        for request in db.session.scalars(select(AidRequest)):
            _ask(request.id)
        db.session.remove()
    return token


def _text_of(body: bytes, kind: str) -> str:
    """Return what can be read in an answer: of a page, a table or a paper."""
    if "pdf" in kind:
        return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
    if "spreadsheetml" in kind:
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            return " ".join(book.read(name).decode() for name in book.namelist())
    return body.decode()


def _seen(text: str) -> set[str]:
    return set(re.findall(r"MARKED-[a-z]+", text))


def _leaks(stop: Stop, role: str, text: str) -> Iterator[str]:
    for secret in sorted(_seen(text)):
        allowed = MAY_SEE[secret]
        own = stop.rule.endpoint in OWN and "themselves" in allowed
        reads = role in allowed or (role == "owner" and "registrar" in allowed)
        if not own and not reads:
            yield f"{role} reads {secret} at {stop}"


def test_no_marked_secret_is_where_it_must_not_be(
    world: World, secrets: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stops, found, read, opened = list_stops(world), [], set(), 0
    for role in ROLES:
        browser = world.visitor() if role == "visitor" else world.sign_in(world.user_with(role))
        # What everybody may open is the same for everybody: a visitor has looked at it.
        for stop in stops if role == "visitor" else [s for s in stops if s.roles]:
            answer = browser.get(stop.address)
            opened += answer.status_code == 200
            text = _text_of(answer.data, answer.content_type or "")
            read |= _seen(text)
            found += _leaks(stop, role, text)
            if role == "committee" and ASKER in text:
                found.append(f"the committee reads who asks at {stop}")
    assert found == []
    assert opened > 150, "the pages were there to be read"
    shown = {"MARKED-desk", "MARKED-note", "MARKED-wish", "MARKED-training", "MARKED-award"}
    assert shown <= read, "whoever may see them does: the net has no hole"

    second = world.app.test_client()
    for path in (f"/r/{secrets}", f"/r/{secrets}/calendar.ics", f"/r/{secrets}/cancel"):
        assert _seen(second.get(path).text) == set(), path
    letters: list[str] = []
    with world.app.test_request_context():
        with transaction():
            roster = rosters.get_roster(world.led_event.id)
            for leader in roster.leaders:
                outbox.enqueue(roster_letter(roster, leader, key="a-roster"), now=clock.now())
        for m in db.session.scalars(select(Message)):
            letters += [fill(m.text, m.links or {}), m.html, str(m.attachments), m.subject]
        db.session.remove()
    assert _seen(" ".join(letters)) == set()
    assert _seen(caplog.text) == set()
