"""Nobody reads what is not for them: a person full of marked secrets, every role, every page, letter and file."""

import io
import logging
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy import text as text_of

from regsys.accounts.kinds import Role
from regsys.accounts.models import Grant, User
from regsys.aid import services as aid
from regsys.aid.models import AidRequest
from regsys.aid.states import RequestState
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
from regsys.registration.queries import find_registration_by_token, get_order
from regsys.registration.states import RegistrationState as S
from tests.cast import a_person, make_question, make_user
from tests.house.visiting import Stop, list_stops, roles_of
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
    # Who of the committee decided, and which fund gives: with a person's name that would tell who was helped.
    "MARKED-decider": frozenset({"committee"}),
    "MARKED-fund": frozenset({"committee", "treasurer"}),
    # The first person's answers, where a place was handed over: the desk may look, the second person never.
    "MARKED-former": frozenset({"registrar", "themselves"}),
}
# An owner opens whatever these open, and may read no more of it.
DESK = frozenset({"registrar", "treasurer"})
ASKER = "somebody.who.asks@example.org"
ROLES = ("visitor", *Role, "leader")
OWN = ("registration.attendee",)
# Who was helped is told by no page of a desk, in no word like these; the menu has them on every page.
TELLING = ("help with the fee", "award", "committee", "nothing but a lower price")
# Where what people wrote must not be, sealed or not.
TABLES = ("audit_entry", "job", "message", "document", "payment", "stripe_event")


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
        request.fund.name, request.decided_by = "MARKED-fund", "MARKED-decider"


def _help(order_id: int) -> "Person":
    """Let somebody for whom another one pays ask, and get help."""
    with transaction():
        aid.invite(order_id, actor=SYSTEM, now=clock.now())
    (r,) = get_order(order_id).registrations
    with transaction():
        db.session.get_one(Registration, r.id).answered_at = clock.now()
    with transaction():
        asked = aid.ask(r.id, "MARKED-award", asked_amount=None, now=clock.now())
        aid.award(asked, r.price // 2, scope=None, actor=SYSTEM, now=clock.now())
    return _person(get_order(order_id).registrations[0])


@dataclass(frozen=True)
class Person:
    """Somebody whose pages are opened besides the samples, by their ids and links."""

    event_id: int
    registration_id: int
    order_id: int
    order_token: str
    token: str


@dataclass(frozen=True)
class Secrets:
    """Who was helped, who asks and pays, whom somebody else pays for, who handed a place over, and who has it now."""

    helped: Person
    asks: Person
    paid_for: Person
    former: Person
    second: Person


def _person(r: Registration) -> Person:
    return Person(r.event_id, r.id, r.order_id, r.order.token, r.token)


def _of_request(state: RequestState) -> Person:
    query = select(Registration).join(AidRequest, AidRequest.registration_id == Registration.id)
    found = db.session.scalars(query.where(AidRequest.state == state)).first()
    assert found, state
    return _person(found)


@pytest.fixture
def secrets(world: World) -> Secrets:
    """Fill the people whom the samples show with secrets, and those who asked or handed a place over."""
    shown = [world.registration.id, world.unpaid.id, world.seat.id]
    paid_id = world.paid_by_other.id
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
        former_id = former.id
        token = _hand_on(former)
        paid_for = _help(paid_id)
        for request in db.session.scalars(select(AidRequest)):
            _ask(request.id)
        second = find_registration_by_token(token)
        assert second
        found = Secrets(
            _of_request(RequestState.USED), _of_request(RequestState.ASKED), paid_for,
            _person(db.session.get_one(Registration, former_id)), _person(second),
        )  # fmt: skip
        db.session.remove()
    return found


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
        reads = role in allowed or (role == "owner" and bool(DESK & allowed))
        if not own and not reads:
            yield f"{role} reads {secret} at {stop}"
    if role == "committee" and ASKER in text:
        yield f"the committee reads who asks at {stop}"


def _is_tried(stop: Stop, role: str, samples: Collection[str]) -> bool:
    """Tell whether a role tries a page: each tries every guarded sample, and what else it is let into."""
    return bool(stop.roles) and (stop.address in samples or role in stop.roles)


def _telling(stop: Stop, role: str, text: str, payer_asks: str) -> Iterator[str]:
    """Yield what says in words that somebody was helped, on a page of a desk that is about them."""
    said = text.split("<main", 1)[-1].lower()
    own = stop.rule.rule.startswith("/r/") or stop.address == payer_asks
    if not own:
        yield from (f"{role} reads “{word}” at {stop}" for word in TELLING if word in said)


def _about(world: World, person: Person) -> list[Stop]:
    """List every page about one person: of their event, their registration, their order, and their own."""
    app, known = world.app, vars(person)
    urls, found = app.url_map.bind("localhost"), []
    for rule in app.url_map.iter_rules():
        token = person.token if rule.rule.startswith("/r/") else person.order_token
        values: dict[str, object] = {n: known[n] for n in rule.arguments if n in known}
        if rule.rule.startswith(("/r/", "/o/")) and "token" in rule.arguments:
            values["token"] = token
        if "GET" in (rule.methods or ()) and values and rule.arguments == set(values):
            address = urls.build(rule.endpoint, values)
            found.append(Stop(rule, address, roles_of(app, rule)))
    return found


def _browser(world: World, role: str) -> FlaskClient:
    """Return a browser of somebody with this role: of the demo, and else of somebody who has it for all events."""
    if role == "visitor":
        return world.visitor()
    with world.app.app_context():
        if role != "leader" and not db.session.scalar(select(Grant.id).where(Grant.role == role)):
            make_user(role)
        db.session.remove()
    if role == "leader":
        return world.sign_in(world.user_with(role))
    return world.sign_in(world.first(select(User).join(Grant).where(Grant.role == role)))


def test_no_marked_secret_is_where_it_must_not_be(
    world: World, secrets: Secrets, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    samples = {s.address: s for s in list_stops(world)}
    helped = [*_about(world, secrets.helped), *_about(world, secrets.asks)]
    helped += [s for s in _about(world, secrets.paid_for) if s.rule.rule.startswith("/o/")]
    about = {s.address for s in helped}
    more = {s.address: s for s in [*helped, *_about(world, secrets.former)]}
    stops = [*samples.values(), *(s for s in more.values() if s.address not in samples)]
    found, read, opened = [], set(), dict.fromkeys(ROLES, 0)
    for role in ROLES:
        browser = _browser(world, role)
        # What everybody may open is the same for everybody: a visitor has looked at it.
        for stop in stops:
            if role != "visitor" and not _is_tried(stop, role, samples):
                continue
            answer = browser.get(stop.address)
            opened[role] += answer.status_code == 200
            text = _text_of(answer.data, answer.content_type or "")
            read |= _seen(text)
            found += _leaks(stop, role, text)
            if stop.address in about and role != "committee":
                found += _telling(stop, role, text, f"/o/{secrets.asks.order_token}")
    assert found == []
    enough = {
        "visitor": 60,
        "registrar": 150,
        "owner": 100,
        "treasurer": 25,
        "committee": 3,
        "leader": 5,
    }
    assert {r: n for r, n in enough.items() if opened[r] < n} == {}, "pages were there to be read"
    shown = {*MAY_SEE} - {"MARKED-sealed", "MARKED-steward"}
    assert shown <= read, "whoever may see them does: the net has no hole"

    second = world.app.test_client()
    for stop in _about(world, secrets.second):
        if not stop.roles:
            answer = second.get(stop.address)
            assert _seen(_text_of(answer.data, answer.content_type or "")) == set(), stop
    letters: list[str] = []
    with world.app.test_request_context():
        with transaction():
            roster = rosters.get_roster(world.led_event.id)
            for leader in roster.leaders:
                outbox.enqueue(roster_letter(roster, leader, key="a-roster"), now=clock.now())
        for m in db.session.scalars(select(Message)):
            letters += [fill(m.text, m.links or {}), m.html, str(m.attachments), m.subject]
        for table in TABLES:
            letters += [
                str(tuple(row)) for row in db.session.execute(text_of(f"SELECT * FROM {table}"))
            ]
        db.session.remove()
    assert _seen(" ".join(letters)) == set()
    assert _seen(caplog.text) == set()
