"""One letter of each kind, made as the product makes them, from what is in the demo."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import delete, select

from regsys.accounts.kinds import Purpose
from regsys.accounts.mail import link_letter
from regsys.accounts.models import User
from regsys.aid import mail as aid
from regsys.aid.models import AidRequest
from regsys.applications import mail as applications
from regsys.applications.models import Application, ApplicationDraft
from regsys.billing import mail as billing
from regsys.billing.models import Invoice
from regsys.content import mail as content
from regsys.content.models import Inquiry
from regsys.events.models import Event, Leader
from regsys.hosts import mail as hosts
from regsys.hosts.models import SeatRequest
from regsys.hosts.queries import get_facts, get_host
from regsys.kernel import clock
from regsys.kernel.db import db
from regsys.kernel.paths import root
from regsys.leaders import mail as leaders
from regsys.leaders import queries as rosters
from regsys.ledger.models import Document, Refund
from regsys.ledger.states import Problem
from regsys.members import mail as members
from regsys.members.models import Member
from regsys.outbox import services as outbox
from regsys.outbox.compose import fill
from regsys.outbox.models import Message
from regsys.pathway.kinds import Need, Verdict
from regsys.pathway.rules import Finding, Want
from regsys.payments import mail as payments
from regsys.payments import queries as payment_queries
from regsys.payments.models import PaymentAttempt
from regsys.payments.services import leaving_of
from regsys.policies.rules import Leaving, Stage
from regsys.registration import mail as registration
from regsys.registration.models import HandOver, Order, Registration
from regsys.registration.states import RegistrationState as S
from regsys.waitlist import mail as waitlist
from regsys.waitlist.models import Entry, Offer
from tests.cast import a_person
from tests.world import World

T = TypeVar("T")


def list_letters(world: World) -> list[tuple[str, str, str]]:
    """Return (name, HTML, text) of a letter of each kind; what was written for it is undone again."""
    # What the demo lacks is made and committed before anything is read.
    assert all(
        (
            world.attempt,
            world.draft,
            world.waiting_offer,
            world.inquiry,
            world.hand_over,
            world.member,
            world.talk,
            world.host,
            world.credit,
        )
    )
    found = []
    for name, write in LETTERS.items():
        with world.app.test_request_context(base_url="http://127.0.0.1:5000"), undone():
            last = db.session.scalar(select(Message.id).order_by(Message.id.desc()).limit(1)) or 0
            write(world)
            query = select(Message).where(Message.id > last).order_by(Message.id.desc())
            message = db.session.scalars(query).first()
            assert message, name
            links = message.links or {}
            found.append((name, fill(message.html, links), fill(message.text, links)))
    return found


def list_unseen() -> list[str]:
    """Return the templates of letters of which there is none here."""
    files = (root() / "templates").glob("*/mail_*.html")
    here = {f"{p.parent.name}-{p.stem.removeprefix('mail_')}" for p in files}
    return sorted(here - set(LETTERS) - {"outbox-base"})


@contextmanager
def undone() -> Iterator[None]:
    """Take back what was written."""
    try:
        yield
    finally:
        db.session.rollback()
        db.session.remove()


def _confirmed() -> Registration:
    """Return somebody with a place who has paid for it."""
    query = select(Registration).join(Event).where(Registration.state == S.CONFIRMED)
    query = query.where(Registration.price > 0, Event.slug == "introductory-intensive")
    return db.session.scalars(query).first() or _none()


def _unpaid() -> Registration:
    query = select(Registration).where(Registration.state == S.AWAITING_PAYMENT)
    return db.session.scalars(query).first() or _none()


def _none() -> Registration:
    raise AssertionError("the demo has nobody like that")


def _get(model: type[T], row: T) -> T:
    """Return the row of this session."""
    found = db.session.get(model, row.id)  # type: ignore[attr-defined]
    assert found
    return found


def _attempt(world: World) -> PaymentAttempt:
    return _get(PaymentAttempt, world.attempt)


def _about_application(kind: str) -> Callable[[World], None]:
    def write(world: World) -> None:
        a = _get(Application, world.application)
        a.letter_words, a.asked = (
            "With your experience the second track fits better.",
            "Which track?",
        )
        getattr(applications, f"send_{kind}")(a, now=clock.now())

    return write


def _not_eligible(world: World) -> None:
    event = _get(Application, world.application).event
    finding = Finding(Want(Need.MEMBER), Verdict.NO, "The membership ended on %(until)s.")
    finding = replace(finding, facts={"until": clock.now().date()})
    person = a_person("Fern Harrow")
    applications.send_not_eligible(event, person, [finding], now=clock.now())


def _about_accepted(kind: str) -> Callable[[World], None]:
    def write(world: World) -> None:
        r = _unpaid()
        r.order.held_until = clock.now() + timedelta(days=2)
        a = _get(Application, world.application)
        getattr(applications, f"send_{kind}")(a, r, now=clock.now())

    return write


def _refund(r: Registration) -> Refund:
    return Refund(id=1, payment_id=1, amount=r.price, currency="USD")


def _link(purpose: Purpose) -> Callable[[World], None]:
    def write(world: World) -> None:
        user = _get(User, world.user_with("registrar"))
        outbox.enqueue(link_letter(user, purpose, "a-secret-of-no-use"), now=clock.now())

    return write


def _roster(world: World) -> None:
    roster = rosters.get_roster(world.led_event.id)
    leader = roster.leaders[0]
    outbox.enqueue(leaders.roster_letter(roster, leader, key="a-roster"), now=clock.now())


def _inquiry(world: World) -> None:
    outbox.enqueue(content.to_organizers(_get(Inquiry, world.inquiry)), now=clock.now())


def _cancelled(world: World) -> None:
    r, now = _confirmed(), clock.now()
    registration.send_cancelled(
        r,
        reason="You asked us to.",
        was_confirmed=True,
        money=Leaving(r.id, r.price, r.price),
        now=now,
    )


def _credit(world: World) -> None:
    registration_id, now = world.credit, clock.now()
    r = db.session.scalars(
        select(Registration).where(Registration.credit_id == registration_id)
    ).one()
    assert r.credit
    r.credit.ended_at, r.credit.end_reason = now, "Paid out on wish."
    registration.send_credit(r, r.credit, left=r.credit.amount or 0, now=now)


def _called_off(world: World) -> None:
    r, now, why = _confirmed(), clock.now(), "The house has burned down."
    registration.send_event_cancelled(
        r, reason=why, was_confirmed=True, refund=r.price, by_hand=0, paid=True, now=now
    )


def _order_cancelled(world: World) -> None:
    r, now = _confirmed(), clock.now()
    registration.send_order_cancelled(
        r.order, [r], key="a-cancelled-order", refund=r.price, reason="You asked us to.", now=now
    )


def _order_confirmed(world: World) -> None:
    r = _confirmed()
    r.order.email = "office@example.org"
    registration.send_confirmations(r.order, [r], now=clock.now())


def _left(which: str) -> Callable[[World], None]:
    """Write the letters about a place that was given back, and keep the one of this kind only."""

    def write(world: World) -> None:
        r = _confirmed()
        if which != "left":
            r.order.email = "office@example.org"
        part = payment_queries.get_parting(r.order_id, [r.id], now=clock.now()).parts[0]
        gone = [(r, leaving_of(part))]
        registration.send_left(r.order, gone, key="a-place", now=clock.now())
        others = (Message.kind != which) & Message.key.contains("a-place")
        others |= (Message.kind == "left") & (which != "left")
        db.session.execute(delete(Message).where(others))

    return write


def _handed(kind: str) -> Callable[[World], None]:
    def write(world: World) -> None:
        row = _get(HandOver, world.hand_over)
        row.first_name, row.last_name, row.email = "Orla", "Fenn", "orla.fenn@example.org"
        row.about = {"profession": "Nurse", "workplace": "Copperline Clinic"}
        if kind == "handed_over":
            registration.send_handed_over(
                row.registration, _confirmed(), more=59000, now=clock.now()
            )
            confirmation = Message.kind == "confirmation"
            db.session.execute(delete(Message).where(confirmation))
        else:
            getattr(registration, f"send_{kind}")(row.registration, row, now=clock.now())

    return write


def _moved(kind: str) -> Callable[[World], None]:
    """Write a letter about somebody who moves from one event to another."""

    def write(world: World) -> None:
        r, new, now = _confirmed(), _unpaid(), clock.now()
        if kind == "moved":
            registration.send_moved(r, new, cost=r.price, later=0, money=None, now=now)
            db.session.execute(delete(Message).where(Message.key != f"cancelled:{r.id}"))
        elif kind == "move_asked":
            registration.send_move_asked(r, new.event, new.ticket_type, now=now)
        elif kind == "move_waits":
            registration.send_move_waits(new, due=5000, until=now + timedelta(days=7), now=now)
        else:
            registration.send_move_lapsed(r.order, [new], now=now)

    return write


def _rest(world: World) -> None:
    r, now = _confirmed(), clock.now()
    r.rest_at = now + timedelta(days=10)
    payments.send_rest(r.order, r, Stage.SOON, owed=77000, times=0, ends=None, now=now)


def _about_seat(kind: str) -> Callable[[World], None]:
    def write(world: World) -> None:
        host, now = get_host(world.host.event_id), clock.now()
        request, seat = _get(SeatRequest, world.seat_request), _get(Registration, world.seat)
        writes: dict[str, Callable[[], None]] = {
            "invite": lambda: hosts.send_invitation(host, "http://127.0.0.1:5000/host", now=now),
            "asked": lambda: hosts.send_asked(host, request, now=now),
            "declined": lambda: hosts.send_declined(request, now=now),
            "reminder": lambda: hosts.send_reminder(host, get_facts(host, 10, now=now), now=now),
            "seat": lambda: hosts.send_seat(host, seat, now=now),
            "taken_off": lambda: hosts.send_taken_off(host, seat, now=now),
            "lapsed": lambda: hosts.send_lapsed(host, seat, now=now),
        }
        writes[kind]()

    return write


LETTERS: dict[str, Callable[[World], None]] = {
    "accounts-sign_in": _link(Purpose.SIGN_IN),
    "accounts-password": _link(Purpose.SET_PASSWORD),
    "content-inquiry": _inquiry,
    "members-link": lambda w: members.send_link(
        _get(Member, w.member), "a-secret-of-no-use", now=clock.now()
    ),
    "members-over": lambda w: members.send_over(_get(Member, w.member), now=clock.now()),
    "leaders-roster": _roster,
    "registration-confirmation": lambda w: registration.send_confirmation(
        _confirmed(), key="a-confirmation", now=clock.now()
    ),
    "registration-order_confirmed": _order_confirmed,
    "registration-hold_expired": lambda w: registration.send_hold_expired(
        _unpaid().order, [_unpaid()], now=clock.now()
    ),
    "registration-cart_link": lambda w: registration.send_cart_link(
        _confirmed().order,
        [_confirmed()],
        until=clock.now() + timedelta(minutes=21),
        now=clock.now(),
    ),
    "registration-existing_link": lambda w: registration.send_existing_link(
        _confirmed(), now=clock.now()
    ),
    "registration-pay_link": lambda w: registration.send_pay_link(
        _unpaid(), until=clock.now() + timedelta(days=7), now=clock.now()
    ),
    **{
        f"registration-{kind}": _handed(kind)
        for kind in ("handed_over", "hand_over_asked", "hand_over_declined")
    },
    **{
        f"registration-{kind}": _moved(kind)
        for kind in ("moved", "move_asked", "move_waits", "move_lapsed")
    },
    "registration-at_risk": lambda w: registration.send_at_risk(
        _confirmed().event, ("Ida Fern", "ida@example.org"), 1, confirmed=5, now=clock.now()
    ),
    "registration-not_sure": lambda w: registration.send_not_sure(
        _confirmed(), confirmed=5, now=clock.now()
    ),
    "registration-left": _left("left"),
    "registration-order_left": _left("order_left"),
    "registration-place_free": _left("place_free"),
    "registration-cancelled": _cancelled,
    "registration-credit": _credit,
    "registration-answers_changed": lambda w: registration.send_answers_changed(
        _confirmed(), reason="You told us on the phone.", now=clock.now()
    ),
    "registration-proof_refused": lambda w: registration.send_proof_refused(
        _confirmed(), reason="A letter is missing.", more=0, until=None, now=clock.now()
    ),
    "registration-proof_owed": lambda w: registration.send_proof_refused(
        _confirmed(), reason="A letter is missing.", more=26000, until=clock.now(), now=clock.now()
    ),
    "registration-proof_accepted": lambda w: registration.send_proof_accepted(
        _confirmed(), less=26000, over=26000, now=clock.now()
    ),
    "registration-event_cancelled": _called_off,
    "registration-order_cancelled": _order_cancelled,
    "billing-invoice": lambda w: billing.send_invoice(_get(Invoice, w.invoice), now=clock.now()),
    "billing-invoice_reminder": lambda w: billing.send_reminder(
        _get(Invoice, w.invoice), owed=71000, now=clock.now()
    ),
    "billing-invoice_cancelled": lambda w: billing.send_cancelled(
        _get(Invoice, w.invoice),
        _get(Document, w.receipt),
        reason="Nobody of this order has a place any more.",
        now=clock.now(),
    ),
    "billing-receipt": lambda w: billing.send_receipt(
        _get(Order, w.order), _get(Document, w.receipt), now=clock.now()
    ),
    "payments-money_back": lambda w: payments.send_money_back(
        _confirmed().order, _refund(_confirmed()), Problem.DOUBLE, now=clock.now()
    ),
    "payments-processing": lambda w: payments.send_processing(
        _unpaid().order, _attempt(w), now=clock.now()
    ),
    "payments-failed": lambda w: payments.send_failed(
        _unpaid().order, _attempt(w), until=clock.now() + timedelta(days=2), now=clock.now()
    ),
    "payments-rest": _rest,
    "payments-rest_paid": lambda w: payments.send_rest_paid(
        _unpaid().order, _attempt(w), left=0, now=clock.now()
    ),
    "payments-refilled": lambda w: payments.send_refilled(
        _confirmed().order, _confirmed(), card=7500, by_hand=0, now=clock.now()
    ),
    "payments-refund_failed": lambda w: payments.send_refund_failed(
        _confirmed().order, _refund(_confirmed()), why="The card was closed.", now=clock.now()
    ),
    "applications-draft": lambda w: applications.send_draft_link(
        _get(ApplicationDraft, w.draft), now=clock.now()
    ),
    "applications-talk": lambda w: applications.send_to_leader(
        _get(Application, w.talk), _get(Leader, w.leader), now=clock.now()
    ),
    "applications-not_eligible": _not_eligible,
    "applications-withdrawn": lambda w: applications.send_withdrawn(
        _get(Application, w.application), reason="You wrote that you cannot come.", now=clock.now()
    ),
    **{
        f"applications-{kind}": _about_application(kind)
        for kind in ("received", "existing", "declined", "asked", "called_off", "waits")
    },
    **{
        f"applications-{kind}": _about_accepted(kind) for kind in ("accepted", "reminder", "lapsed")
    },
    **{
        f"hosts-{kind}": _about_seat(kind)
        for kind in ("seat", "taken_off", "lapsed", "invite", "reminder", "asked", "declined")
    },
    "aid-news": lambda w: aid.send_asked(
        _get(AidRequest, w.aid_request), until=clock.now() + timedelta(days=21), now=clock.now()
    ),
    "aid-invited": lambda w: aid.send_invited(
        _unpaid(), until=clock.now() + timedelta(days=24), now=clock.now()
    ),
    "aid-price": lambda w: aid.send_price_changed(
        _get(AidRequest, w.aid_request), until=clock.now() + timedelta(days=14), now=clock.now()
    ),
    "waitlist-joined": lambda w: waitlist.send_joined(
        _get(Entry, w.waiting), key="a-joined", now=clock.now()
    ),
    "waitlist-offer": lambda w: waitlist.send_offer(_get(Offer, w.waiting_offer), now=clock.now()),
    "waitlist-lapsed": lambda w: waitlist.send_lapsed(
        _get(Offer, w.waiting_offer), now=clock.now()
    ),
    "waitlist-over": lambda w: waitlist.send_over(
        _get(Entry, w.waiting), "The event has begun.", now=clock.now()
    ),
}
