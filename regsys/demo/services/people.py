"""Orders, registrations, answers, places and money."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.demo.services.calendar import Calendar
from regsys.demo.services.forms import in_words, make_answer
from regsys.demo.services.programme import Programme
from regsys.events.kinds import Rate
from regsys.kernel import tokens
from regsys.kernel.actors import SYSTEM, Actor
from regsys.kernel.db import db
from regsys.kernel.text import email_key
from regsys.ledger.models import Method, Payment, Refund
from regsys.ledger.states import Problem, RefundState
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from regsys.registration.states import LIVE, RegistrationState

Rows = dict[str, Any]
LINES = {
    "place": LineKind.PLACE,
    "option": LineKind.OPTION,
    "discount": LineKind.DISCOUNT,
    "award": LineKind.AWARD,
    "place_returned": LineKind.RETURN,
    "hold_ended": LineKind.RETURN,
    "handed_over": LineKind.RETURN,
    "kept": LineKind.KEPT,
}


def load_orders(
    data: Rows, programme: Programme, calendar: Calendar
) -> tuple[dict[str, Order], dict[str, Registration]]:
    """Load orders with their registrations, lines, answers, claims, payments and refunds."""
    people = {p["id"]: p for p in [*data["people"], *data["leaders"]]}
    places = {w["id"]: w for w in data["workplaces"]}
    orders = {o["code"]: _make_order(o, people, calendar) for o in data["orders"]}
    db.session.add_all(orders.values())
    db.session.flush()
    registrations: dict[str, Registration] = {}
    for r in data["registrations"]:
        registration = _make_registration(r, people[r["person"]], places, programme, calendar)
        registration.order_id = orders[r["order"]].id
        registration.is_payer = orders[r["order"]].email == registration.email
        registrations[r["id"]] = registration
    db.session.add_all(registrations.values())
    db.session.flush()
    for r in data["registrations"]:
        _add_answers(r, people[r["person"]], registrations[r["id"]], programme)
        _write_history(r, registrations[r["id"]])
    _claim_places(data["registrations"], registrations, programme, calendar)
    for o in data["orders"]:
        _add_money(o, orders[o["code"]], registrations, calendar)
    return orders, registrations


def _make_order(row: Rows, people: Rows, calendar: Calendar) -> Order:
    token = tokens.new_token()
    payer = row["payer"]
    person = people.get(payer.get("person", ""), {})
    created = calendar.moment(row["created_at"])
    return Order(
        code=row["code"],
        token=token,
        token_hash=tokens.hash_token(token),
        currency="USD",
        first_name=person.get("first_name", ""),
        last_name=person.get("last_name", payer.get("name", "")),
        email=person.get("email", payer.get("email", "")),
        phone=person.get("phone", ""),
        created_at=created,
        placed_at=created,
    )


def _make_registration(
    r: Rows, person: Rows, places: Rows, programme: Programme, calendar: Calendar
) -> Registration:
    token = tokens.new_token()
    state = RegistrationState(r["state"])
    workplace = places.get(person.get("workplace", ""), {})
    ended = r.get("cancelled_at") or r.get("transferred_at") or r.get("expired_at")
    created = calendar.moment(r["created_at"])
    event = programme.events[r["event"]]
    ticket_type = programme.types[r["event"], r["ticket_type"]]
    confirmed = calendar.maybe(r.get("confirmed_at"))
    ended_at = calendar.maybe(ended)
    return Registration(
        code=r["id"],
        token=token,
        token_hash=tokens.hash_token(token),
        event_id=event.id,
        ticket_type_id=ticket_type.id,
        room_part=min(r["price"], ticket_type.room_part),
        policy_id=event.policy_id,
        promised_at=event.starts_at,
        state=state,
        state_at=ended_at or confirmed or created,
        rate=Rate(r["rate"]),
        price=r["price"],
        **{k: person.get(k, "") for k in ("first_name", "last_name", "pronouns", "email", "phone")},
        email_key=email_key(person["email"]),
        profession=in_words(person.get("profession", "")),
        credentials=person.get("credentials", ""),
        workplace=workplace.get("name", ""),
        city=person.get("city") or workplace.get("city") or "",
        time_zone=person.get("time_zone") or workplace.get("time_zone") or "",
        created_at=created,
        confirmed_at=confirmed,
        ended_at=ended_at,
        ended_by=in_words(r.get("cancelled_by") or r.get("transferred_by") or ""),
        end_reason=r.get("reason", "") if ended else "",
        note=r.get("hold_note", ""),
    )


def _add_answers(r: Rows, person: Rows, registration: Registration, programme: Programme) -> None:
    """Store the answers; some questions of the data file are answered by the fields of the person."""
    known = {**person, **r["answers"]}
    missing = False
    for question in programme.questions[r["event"]]:
        value = known.get(question.key)
        if value not in (None, "", {}):
            db.session.add(
                make_answer(question, value, registration.id, at=registration.created_at)
            )
        elif question.required:
            missing = True
    if not missing:
        registration.answered_at = registration.created_at


def _write_history(r: Rows, registration: Registration) -> None:
    who = Actor("attendee", label=registration.name)
    steps: list[tuple[str, datetime | None, Actor]] = [
        ("registration.drafted", registration.created_at, who),
        ("registration.confirmed", registration.confirmed_at, SYSTEM),
        (f"registration.{r['state']}", registration.ended_at, who),
    ]
    for action, at, actor in steps:
        if at:
            audit.record(
                action,
                ("registration", registration.id),
                actor=actor,
                now=at,
                event_id=registration.event_id,
                order_id=registration.order_id,
                reason=registration.end_reason if at == registration.ended_at else None,
            )


def _claim_places(
    rows: list[Rows],
    registrations: dict[str, Registration],
    programme: Programme,
    calendar: Calendar,
) -> None:
    pools_of = defaultdict(list)
    for (event, pool_name), pool in programme.pools.items():
        pools_of[event].append((pool_name, pool.id))
    for r in rows:
        registration = registrations[r["id"]]
        if registration.state not in LIVE:
            continue
        until = calendar.running(r["hold_expires_at"]) if "hold_expires_at" in r else None
        names = {"total", *_type_pools(r["ticket_type"])}
        wanted = [pool_id for name, pool_id in pools_of[r["event"]] if name in names]
        capacity.claim([(registration.id, wanted)], now=calendar.loaded_at, until=until)
        early = programme.early.get(r["event"])
        if early and r["rate"] == Rate.EARLY:
            capacity.claim_up_to(early.id, [registration.id], now=calendar.loaded_at, until=until)


def _type_pools(ticket_type: str) -> set[str]:
    # In the data file a type's own pool is named as the type, without "_room".
    return {ticket_type, ticket_type.removesuffix("_room")}


def _add_money(
    row: Rows, order: Order, registrations: dict[str, Registration], calendar: Calendar
) -> None:
    for line in row["lines"]:
        registration = registrations.get(line.get("registration", ""))
        db.session.add(
            OrderLine(
                order_id=order.id,
                registration_id=registration.id if registration else None,
                kind=LINES.get(line["kind"], LineKind.OTHER),
                reason=line["reason"],
                amount=line["amount"],
            )
        )
    payments = {p["id"]: _make_payment(p, row, order, calendar) for p in row.get("payments", [])}
    for r in row.get("refunds", []):
        payment = payments[r["payment"]]
        if r["reason"] == "duplicate":
            payment.problem = Problem.DOUBLE
        payment.refunds.append(_make_refund(r, payment, calendar))
    db.session.add_all(payments.values())


def _make_payment(p: Rows, row: Rows, order: Order, calendar: Calendar) -> Payment:
    note = f"Cheque {p['cheque_number']}" if "cheque_number" in p else ""
    method, mark = Method(p["method"]), f"demo_{row['code']}_{p['id']}"
    by_card = method is Method.CARD
    return Payment(
        order_id=order.id,
        method=method,
        amount=p["amount"],
        currency="USD",
        fee=p.get("fee"),
        reference=f"pi_{mark}" if by_card else mark,
        charge=f"ch_{mark}" if by_card else None,
        received_at=calendar.moment(p["at"]),
        note=note,
    )


def _make_refund(r: Rows, payment: Payment, calendar: Calendar) -> Refund:
    at = calendar.moment(r["at"])
    by_card = payment.method is Method.CARD
    return Refund(
        method=payment.method,
        stripe_id=f"re_{(payment.reference or '').removeprefix('pi_')}_{r['id']}"
        if by_card
        else None,
        state=RefundState(r["state"]),
        state_at=calendar.maybe(r.get("failed_at")) or at,
        amount=r["amount"],
        currency="USD",
        reason=r["explanation"],
        requested_by=r["by"],
        requested_at=at,
        error=r.get("failure", ""),
    )
