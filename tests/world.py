"""A whole society to visit: the demo as loaded on the frozen day, and one of each thing in it."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Select, select
from sqlalchemy.orm import selectinload

from regsys.accounts import services
from regsys.accounts.kinds import Purpose
from regsys.accounts.models import Grant, User
from regsys.accounts.setup import TOKEN
from regsys.aid.models import AidRequest
from regsys.aid.states import RequestState
from regsys.applications.models import Application, ApplicationDraft
from regsys.applications.states import ApplicationState
from regsys.billing.models import Invoice
from regsys.content.models import Inquiry, NewsItem, Page
from regsys.discounts import services as discounts
from regsys.discounts.models import Code
from regsys.events.kinds import Enrollment, InvoiceTerms, Proof, Visibility
from regsys.events.models import Assignment, Event, Leader, TicketType, Venue
from regsys.events.rules import OPENED
from regsys.events.states import EventState
from regsys.hosts.models import Host, SeatRequest
from regsys.kernel import clock
from regsys.kernel.actors import ANONYMOUS, SYSTEM
from regsys.kernel.db import db, transaction
from regsys.kernel.tokens import hash_token
from regsys.ledger.models import Document, Method, Payment
from regsys.ledger.states import Problem
from regsys.members import services as members
from regsys.members.models import Member, MemberUpload
from regsys.members.reading import read_list
from regsys.outbox import jobs as outbox_jobs
from regsys.outbox import services as outbox
from regsys.outbox.compose import Draft
from regsys.payments.models import Cancellation, PaymentAttempt
from regsys.payments.states import AttemptState
from regsys.questions.models import Question
from regsys.registration import services as registering
from regsys.registration.kinds import OrderSource
from regsys.registration.models import HandOver, Order, Registration
from regsys.registration.public.base import CART
from regsys.registration.states import RegistrationState
from regsys.waitlist.models import Entry, Offer
from regsys.waitlist.states import EntryState
from tests.cast import a_person, list_people, make_answers, make_cart, make_order

T = TypeVar("T")
SHORT_FORM = Event.slug == "see-a-balint-group"


@dataclass(frozen=True)
class World:
    """Looks things up in the demo; the rows are detached, so use their own columns only."""

    app: Flask

    def first(self, query: "Select[tuple[T]]") -> T:
        """Return the first row; a sample of something that the demo lacks is an error."""
        with self.app.app_context():
            row = db.session.scalars(query.limit(1)).first()
            assert row is not None, f"the demo has nothing for {query}"
            db.session.expunge_all()
            return row

    def user_with(self, *roles: str) -> User:
        """Return somebody who may do one of these things for all events; a leader for "leader"."""
        if roles == ("leader",):
            leads = select(User).join(Leader, Leader.user_id == User.id).join(Assignment)
            return self.first(leads.where(~User.grants.any()))
        everywhere = Grant.event_id.is_(None)
        return self.first(select(User).join(Grant).where(Grant.role.in_(roles), everywhere))

    def sign_in(self, user: User) -> FlaskClient:
        """Return a browser in which this person is signed in."""
        with self.app.app_context():
            with transaction():
                token = services.start_session(
                    user.id, how="password", old_token=None, now=clock.now()
                )
            db.session.remove()
        client = self.app.test_client()
        with client.session_transaction() as session:
            session[TOKEN] = token
        return client

    def visitor(self) -> FlaskClient:
        """Return a browser with a cart: two places, everybody named, the payer's answers given."""
        client = self.app.test_client()
        with client.session_transaction() as session:
            session[CART] = self.cart_token
            session[OPENED] = [self.host.event_id]
        return client

    @cached_property
    def cart_token(self) -> str:
        """The token of a cart that waits to be placed."""
        with self.app.app_context():
            event = db.session.scalars(self._events(Enrollment.OPEN).where(SHORT_FORM)).first()
            assert event, "the demo has no event whose form asks for one agreement only"
            ticket = event.ticket_types[0]
            order = make_cart(event, quantities={ticket.name: 2})
            mine, guest = list_people(order)
            with transaction():
                payer, mine_is = a_person("Lysander Saltmarsh"), {event.id: ticket.id}
                registering.describe_payer(order.id, payer, phone="", mine=mine_is, now=clock.now())
            with transaction():
                registering.describe_person(
                    order.id, guest.id, a_person("Guest Nutkin"), now=clock.now()
                )
            make_answers(mine, agrees_confidentiality=True)
            token = order.token
            db.session.remove()
        return token

    @cached_property
    def event(self) -> Event:
        """An event that is public, open and sells places."""
        return self.first(self._events(Enrollment.OPEN).join(Event.ticket_types))

    @cached_property
    def led_event(self) -> Event:
        """An event that the person of `user_with("leader")` leads."""
        user = self.user_with("leader")
        mine = Leader.user_id == user.id
        return self.first(select(Event).join(Event.assignments).join(Leader).where(mine))

    @cached_property
    def external_event(self) -> Event:
        return self.first(self._events(Enrollment.EXTERNAL))

    @cached_property
    def contact_event(self) -> Event:
        return self.first(self._events(Enrollment.CONTACT_LEADER))

    @staticmethod
    def _events(enrollment: Enrollment) -> "Select[tuple[Event]]":
        return (
            select(Event)
            .where(Event.state == EventState.PUBLISHED)
            .where(Event.visibility == Visibility.PUBLIC, Event.enrollment == enrollment)
            .order_by(Event.starts_at.desc())
        )

    @cached_property
    def application(self) -> Application:
        """An application that waits for a decision."""
        waits = Application.state == ApplicationState.UNDER_REVIEW
        return self.first(select(Application).where(waits).order_by(Application.id))

    @cached_property
    def call(self) -> Event:
        """The event of `application`."""
        return self.first(select(Event).where(Event.id == self.application.event_id))

    @cached_property
    def registration(self) -> Registration:
        """A confirmed registration of `event`."""
        confirmed = Registration.state == RegistrationState.CONFIRMED
        return self.first(
            select(Registration).where(confirmed, Registration.event_id == self.event.id)
        )

    @cached_property
    def trainee(self) -> Registration:
        """A place at the price for trainees, by a word at which nobody has looked."""
        r = self.first(
            select(Registration)
            .join(Event)
            .join(TicketType, TicketType.id == Registration.ticket_type_id)
            .where(Registration.state == RegistrationState.CONFIRMED, Event.starts_at > clock.now())
            .where(TicketType.proof == Proof.TRAINEE)
        )
        with self.app.app_context():
            with transaction():
                mine = db.session.get_one(Registration, r.id)
                mine.proof = {"kind": "trainee", "said": "Riverbend residency", "on": "2026-11-24"}
            db.session.remove()
        return r

    @cached_property
    def hand_over(self) -> HandOver:
        """A place of which a colleague has the link."""
        r = self.first(
            select(Registration)
            .join(Event)
            .where(Registration.state == RegistrationState.CONFIRMED, Event.starts_at > clock.now())
            .where(Event.slug == "leadership-intensive-spokane")
        )
        with self.app.app_context():
            with transaction():
                registering.offer_hand_over(r.order_id, r.id, actor=SYSTEM, now=clock.now())
            db.session.remove()
        return self.first(select(HandOver))

    @cached_property
    def credit(self) -> int:
        """The id of a credit that somebody has."""
        ended = Registration.state == RegistrationState.CANCELLED
        with self.app.app_context():
            with transaction():
                r = db.session.scalars(select(Registration).where(ended).limit(1)).one()
                until, now = clock.now() + timedelta(days=300), clock.now()
                made = {"amount": 15000, "currency": r.event.currency, "until": until, "now": now}
                r.credit = discounts.make_credit(r.email, note="", **made)
                made_id = r.credit.id
            db.session.remove()
        return made_id

    @cached_property
    def unpaid(self) -> Registration:
        """A registration that waits for its payment."""
        waiting = Registration.state == RegistrationState.AWAITING_PAYMENT
        return self.first(select(Registration).where(waiting))

    @cached_property
    def question(self) -> Question:
        """A question that `event` asks."""
        return self.first(select(Question).where(Question.event_id == self.event.id))

    @cached_property
    def order(self) -> Order:
        """The order of `registration`."""
        return self.first(select(Order).where(Order.id == self.registration.order_id))

    @cached_property
    def receipt(self) -> Document:
        """The receipt of `order`."""
        return self.first(select(Document).where(Document.order_id == self.order.id))

    @cached_property
    def invoice(self) -> Invoice:
        """An invoice of which all is open."""
        return self.first(select(Invoice).order_by(Invoice.id))

    @cached_property
    def invoice_attempt(self) -> PaymentAttempt:
        """A Checkout session of the invoice's order that is open."""
        return self._attempt(self.invoice.order_id, "invoice")

    @cached_property
    def unpaid_order(self) -> Order:
        """An order that waits for payment, and may be paid by invoice."""
        with self.app.app_context():
            event = db.session.scalars(
                self._events(Enrollment.OPEN).where(Event.invoices != InvoiceTerms.NONE)
            ).first()
            assert event, "the demo has no event that takes invoices"
            event_id, ticket = event.id, event.ticket_types[0].id
            with transaction():
                order_id = registering.add_by_hand(
                    event_id, a_person("Harriet Nutkin"), ticket_type_id=ticket, to_pay=True,
                    reason="", actor=SYSTEM, now=clock.now(),
                ).order_id  # fmt: skip
        return self.first(select(Order).where(Order.id == order_id))

    @cached_property
    def offered(self) -> Order:
        """An order about a place that is held for somebody until they take it."""
        with self.app.app_context():
            with transaction():
                token = registering.offer_place(
                    self.event.id,
                    self.first(select(TicketType.id).where(TicketType.event_id == self.event.id)),
                    a_person("Offered Nutkin"),
                    until=clock.now() + timedelta(days=2),
                    source=OrderSource.APPLICATION,
                    reason="",
                    actor=ANONYMOUS,
                    now=clock.now(),
                ).order.token
            db.session.remove()
        return self.first(select(Order).where(Order.token_hash == hash_token(token)))

    @cached_property
    def waiting(self) -> Entry:
        """Somebody who waits for a place."""
        return self.first(select(Entry).where(Entry.state == EntryState.WAITING))

    @cached_property
    def waiting_offer(self) -> Offer:
        """An offer that is open."""
        return self.first(select(Offer).where(Offer.ended_at.is_(None)))

    @cached_property
    def with_dinner(self) -> Event:
        """An event with something to choose."""
        return self.first(select(Event).where(Event.slug == "introductory-intensive"))

    @cached_property
    def chooser(self) -> Registration:
        """A confirmed place whose person has not been asked what comes with it."""
        here = Registration.event_id == self.with_dinner.id
        confirmed = Registration.state == RegistrationState.CONFIRMED
        r = self.first(select(Registration).where(here, confirmed))
        with self.app.app_context():
            with transaction():
                db.session.get_one(Registration, r.id).options_open = True
            db.session.remove()
        return r

    @cached_property
    def code(self) -> Code:
        """A code for places of some events."""
        query = select(Code).options(selectinload(Code.events))
        return self.first(query.where(Code.code == "TEAM3"))

    @cached_property
    def host(self) -> Host:
        """The host of the intensive on the road, whose private link the visitor has used."""
        return self.first(select(Host))

    @cached_property
    def private_link(self) -> str:
        """The link with which people of the host find its event."""
        event = self.first(select(Event).where(Event.id == self.host.event_id))
        return f"/events/{event.slug}?key={event.private_key}"

    @cached_property
    def seat(self) -> Registration:
        """A named seat of the host."""
        confirmed = Registration.state == RegistrationState.CONFIRMED
        mine = (confirmed, Registration.order_id == self.host.order_id)
        return self.first(select(Registration).where(*mine))

    @cached_property
    def seat_request(self) -> SeatRequest:
        """Somebody who asks the host for a seat."""
        return self.first(select(SeatRequest))

    @cached_property
    def aid_request(self) -> AidRequest:
        """A request for help with the fee that waits for the committee."""
        return self.first(select(AidRequest).where(AidRequest.state == RequestState.ASKED))

    @cached_property
    def asker(self) -> Registration:
        """Whose request `aid_request` is."""
        mine = Registration.id == self.aid_request.registration_id
        return self.first(select(Registration).where(mine))

    @cached_property
    def paid_by_other(self) -> Order:
        """An order that waits for payment, for somebody else than its payer."""
        with self.app.app_context():
            event = db.session.scalars(self._events(Enrollment.OPEN)).first()
            assert event, "the demo has no event with open places"
            comes, pays = a_person("Peregrine Nutkin"), a_person("Quill Nutkin")
            order_id = make_order(event, [comes], payer=pays).id
            db.session.remove()
        return self.first(select(Order).where(Order.id == order_id))

    @cached_property
    def full_event(self) -> Event:
        """An event for whose single rooms people wait."""
        return self.first(select(Event).where(Event.slug == "balint-weekend-on-the-canal"))

    @cached_property
    def page(self) -> Page:
        return self.first(select(Page).where(Page.slug != "home", Page.published))

    @cached_property
    def news_item(self) -> NewsItem:
        return self.first(select(NewsItem).where(NewsItem.published))

    @cached_property
    def inquiry(self) -> Inquiry:
        return self.first(select(Inquiry))

    @cached_property
    def venue(self) -> Venue:
        return self.first(select(Venue))

    @cached_property
    def leader(self) -> Leader:
        return self.first(select(Leader))

    @cached_property
    def user(self) -> User:
        return self.first(select(User))

    # ---- what the demo has none of, made when it is first asked for

    def _make(self, row: T) -> T:
        with self.app.app_context():
            with transaction() as session:
                session.add(row)
            db.session.expunge_all()
        return row

    def _make_payment(self, **more: Any) -> Payment:
        """Let money come by card for the order."""
        by_card = {"method": Method.CARD, "amount": 92000, "currency": "USD"}
        at = clock.now()
        return self._make(Payment(order_id=self.order.id, received_at=at, **by_card, **more))

    @cached_property
    def problem_payment(self) -> Payment:
        """A payment that needs a person."""
        return self._make_payment(problem=Problem.DOUBLE)

    @cached_property
    def card_payment(self) -> Payment:
        """A payment by card that counts."""
        return self._make_payment(reference="pi_of_the_world")

    @cached_property
    def draft(self) -> ApplicationDraft:
        """An application that is not sent yet."""
        now, token = clock.now(), "draft-of-the-world"
        return self._make(
            ApplicationDraft(
                event_id=self.call.id,
                token=token,
                token_hash=hash_token(token),
                email="undine@example.org",
                typed=[["first_name", "Undine"]],
                created_at=now,
                saved_at=now,
            )
        )

    @cached_property
    def talk(self) -> Application:
        """Somebody who would like to join `led_event`, whose leader talks with everybody first."""
        now, event = clock.now(), self.led_event
        token = "talk-of-the-world"
        with self.app.app_context():
            with transaction() as session:
                led = session.get_one(Event, event.id)
                led.talk_first = True
                type_id = led.ticket_types[0].id
            db.session.remove()
        return self._make(
            Application(
                event_id=event.id,
                ticket_type_id=type_id,
                token=token,
                token_hash=hash_token(token),
                state=ApplicationState.SUBMITTED,
                state_at=now,
                submitted_at=now,
                first_name="Fern",
                last_name="Harrow",
                email="fern.harrow@example.org",
                email_key="fern.harrow@example.org",
                phone="+1 509 555 0199",
                profession="Nurse",
                workplace="Copperline Clinic",
            )
        )

    @cached_property
    def called_off(self) -> Cancellation:
        """An event that was called off, with everybody told."""
        now = clock.now()
        return self._make(
            Cancellation(
                event_id=self.contact_event.id,
                reason="The house has burned down.",
                requested_by="Undine Nutkin",
                requested_at=now,
                finished_at=now,
            )
        )

    @cached_property
    def attempt(self) -> PaymentAttempt:
        """A Checkout session that is open, about which Stripe was asked just now."""
        return self._attempt(self.order.id, "world")

    def _attempt(self, order_id: int, name: str) -> PaymentAttempt:
        now = clock.now()
        return self._make(
            PaymentAttempt(
                order_id=order_id,
                state=AttemptState.OPEN,
                state_at=now,
                amount=92000,
                currency="USD",
                livemode=False,
                key=f"attempt-of-the-{name}",
                params={},
                session_id=f"cs_test_{name}",
                url=f"https://checkout.stripe.com/c/pay/cs_test_{name}",
                created_at=now,
                expires_at=now + timedelta(minutes=35),
                asked_at=now,
            )
        )

    @cached_property
    def shared(self) -> Order:
        """An unpaid order that somebody else can pay by a link."""
        order_id = self.unpaid.order_id
        with self.app.app_context():
            with transaction():
                registering.share_payment(order_id, actor=SYSTEM, now=clock.now())
            db.session.remove()
        return self.first(select(Order).where(Order.id == order_id))

    @cached_property
    def shared_attempt(self) -> PaymentAttempt:
        """A session that somebody else has open."""
        now = clock.now()
        return self._make(
            PaymentAttempt(
                order_id=self.shared.id,
                state=AttemptState.OPEN,
                state_at=now,
                amount=92000,
                currency="USD",
                livemode=False,
                key="attempt-of-somebody-else",
                params={},
                session_id="cs_test_somebody",
                url="https://checkout.stripe.com/c/pay/cs_test_somebody",
                created_at=now,
                expires_at=now + timedelta(minutes=35),
                asked_at=now,
            )
        )

    @cached_property
    def message_id(self) -> int:
        """A letter with an attachment, sent: it stands in the outbox and in the sandbox's reader."""
        order = f"http://127.0.0.1:5000/o/{self.order.token}"
        with self.app.test_request_context():
            draft = Draft(
                key="world",
                kind="confirmation",
                to_name="Undine Nutkin",
                to_email="undine@example.org",
                subject="You have a place",
                text="Your page: [[link:order]]",
                html="<html lang=en><title>You have a place</title><p>You have a place.</p></html>",
                links={"order": order},
                attachments=[
                    {"filename": "event.ics", "type": "text/calendar", "text": "BEGIN:VCALENDAR"}
                ],
                registration_id=self.registration.id,
            )
            with transaction():
                message_id = outbox.enqueue(draft, now=clock.now()).id
            outbox_jobs.send({"message": message_id})
            db.session.remove()
        return message_id

    @cached_property
    def sign_in_token(self) -> str:
        """The secret of a mailed link that nobody used yet."""
        return self._link(Purpose.SIGN_IN)

    @cached_property
    def password_token(self) -> str:
        """The secret of a mailed link to set a new password."""
        return self._link(Purpose.SET_PASSWORD)

    @cached_property
    def member(self) -> Member:
        """A member of the society."""
        return self.first(select(Member))

    @cached_property
    def member_token(self) -> str:
        """The secret of a mailed link for members that nobody used yet."""
        member_id = self.member.id
        with self.app.app_context():
            with transaction():
                token = members.new_link(member_id, target=None, now=clock.now())
            db.session.remove()
        return token

    @cached_property
    def member_upload(self) -> MemberUpload:
        """A list of members that waits for a yes: something new, changed, ended and not to be read."""
        day = self.member.valid_until.isoformat()
        lines = (
            "Number,Name,E-mail,Valid until",
            f"{self.member.number},{self.member.name},moved@example.org,{day}",
            f"9001,Fern Harrow,fern.harrow@example.org,{day}",
            "9002,Bruno Larch,bruno.larch,2027-12-31",
            f"9001,Fern Harrow,fern.harrow@example.org,{day}",
        )
        read = read_list("\n".join(lines).encode())
        with self.app.app_context():
            with transaction():
                kept = members.keep_upload(
                    "members.csv", read, whole=True, actor=SYSTEM, now=clock.now()
                )
                db.session.flush()
                upload_id = kept.id
            db.session.remove()
        return self.first(select(MemberUpload).where(MemberUpload.id == upload_id))

    def _link(self, purpose: Purpose) -> str:
        user_id = self.user_with("registrar").id
        with self.app.app_context():
            with transaction():
                token = services.new_link(user_id, purpose, now=clock.now())
            db.session.remove()
        return token
