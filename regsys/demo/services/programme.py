"""Venues and events: schedule, leaders, places, prices and questions."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from regsys.capacity import services as capacity
from regsys.capacity.models import Pool, PoolKind
from regsys.demo.services.calendar import Calendar
from regsys.demo.services.forms import make_questions
from regsys.events.kinds import (
    Enrollment,
    EventKind,
    EventMode,
    InvoiceTerms,
    LeaderRole,
    Proof,
    Rate,
    Visibility,
)
from regsys.events.models import (
    Assignment,
    Event,
    Leader,
    Price,
    Session,
    TicketType,
    Venue,
    ticket_type_pool,
)
from regsys.events.states import EventState
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db
from regsys.kernel.tokens import hash_token
from regsys.policies import services as policies
from regsys.policies.models import RefundPolicy
from regsys.policies.rules import read
from regsys.questions.models import Question

Rows = dict[str, Any]
# Ticket types that are for members of the society.
PROOFS = {
    "member": Proof.MEMBER,
    "member_free": Proof.MEMBER,
    "trainee": Proof.TRAINEE,
}
POOL_KINDS = {
    "total": PoolKind.TOTAL,
    "inner_circle": PoolKind.INNER_CIRCLE,
    "outer_circle": PoolKind.OUTER_CIRCLE,
    "commuter": PoolKind.ROOM,
    "shared": PoolKind.ROOM,
    "single": PoolKind.ROOM,
}


@dataclass
class Programme:
    """What registrations need of the events, by the ids of the data file."""

    events: dict[str, Event] = field(default_factory=dict)
    types: dict[tuple[str, str], TicketType] = field(default_factory=dict)
    pools: dict[tuple[str, str], Pool] = field(default_factory=dict)
    early: dict[str, Pool] = field(default_factory=dict)
    questions: dict[str, list[Question]] = field(default_factory=dict)

    @property
    def event_ids(self) -> dict[str, int]:
        """Return the database ids of the events."""
        return {k: e.id for k, e in self.events.items()}


def load_programme(data: Rows, leaders: dict[str, Leader], calendar: Calendar) -> Programme:
    """Load all events."""
    venues, rules = _load_venues(data), _load_policies(data, calendar)
    programme = Programme()
    for row in data["events"]:
        event = _make_event(row, data, venues, calendar)
        event.policy = rules.get(row.get("refund_policy", ""))
        db.session.add(event)
        db.session.flush()
        programme.events[row["id"]] = event
        _add_schedule(event, row, calendar)
        _add_leaders(event, row, leaders)
        _add_places(event, row, programme)
        questions = make_questions(event.id, row, data["questions"], now=calendar.loaded_at)
        db.session.add_all(questions)
        programme.questions[row["id"]] = questions
    db.session.flush()
    return programme


def _load_venues(data: Rows) -> dict[str, Venue]:
    venues = {}
    for v in data["venues"]:
        if v["id"] == "online":
            continue
        venues[v["id"]] = Venue(
            name=v["name"],
            city=v["city"],
            address=v["address"],
            step_free=v.get("step_free"),
            access_note=v.get("access_note", ""),
        )
    db.session.add_all(venues.values())
    return venues


def _load_policies(data: Rows, calendar: Calendar) -> dict[str, RefundPolicy]:
    return {
        name: policies.save_version(
            p["title"],
            replace(read(p["terms"]), note=p["plain"]),
            before=None,
            actor=SYSTEM,
            now=calendar.loaded_at,
        )
        for name, p in data["refund_policies"].items()
    }


# Who lets employers pay by invoice.
INVOICES = {
    EventKind.LEADERSHIP_TRAINING_INTENSIVE: InvoiceTerms.CONFIRMED,
    EventKind.BALINT_WEEKEND: InvoiceTerms.HELD,
}


def _make_event(row: Rows, data: Rows, venues: dict[str, Venue], calendar: Calendar) -> Event:
    zone = row["time_zone"]
    venue = venues.get(row["venue"]) or (Venue(name=row["place"]) if row.get("place") else None)
    opens = row.get("registration_opens")
    external = row.get("external", {})
    return Event(
        slug=row["slug"],
        kind=EventKind(row["kind"]),
        mode=EventMode(row["mode"]),
        visibility=Visibility(row["visibility"]),
        enrollment=_enrollment(row),
        talk_first=row.get("newcomer_talk", False),
        join_meetings=_join_meetings(row),
        pro_rata=row.get("pro_rata", False),
        state=EventState(row["status"]),
        state_at=calendar.maybe(row.get("cancelled_at")) or calendar.loaded_at,
        state_reason=row.get("cancel_reason", ""),
        title=row["title"],
        summary=row["subtitle"],
        description=row["description"],
        included="\n".join(f"- {i}" for i in row.get("included", [])),
        credit=_credit(row.get("credits")),
        cost_note=row.get("cost_note", ""),
        contact_email=data["organisation"]["email"],
        venue=venue,
        join_link=None if row["mode"] == "in_person" else f"https://meet.example.org/{row['slug']}",
        time_zone=zone,
        starts_at=calendar.moment(row["start"], zone),
        ends_at=calendar.moment(row["end"], zone),
        currency=data["meta"]["currency"],
        opens_at=calendar.start_of(opens, zone) if opens else None,
        closes_at=_closes_at(row, calendar),
        answer_by=_answer_by(row, calendar),
        accept_hours=row.get("payment_hold_hours", 48),
        early_until=calendar.end_of(row.get("early_rule", {}).get("until"), zone),
        minimum=row.get("minimum"),
        decide_at=calendar.end_of(row.get("minimum_decision_on"), zone),
        invoices=INVOICES.get(EventKind(row["kind"]), InvoiceTerms.NONE),
        external_name=external.get("label", "").removeprefix("Register at "),
        external_url=external.get("url", ""),
        private_key=row.get("access_code"),
        private_key_hash=hash_token(row["access_code"]) if "access_code" in row else None,
        roster_days_before=3,
        created_at=calendar.start_of(opens, zone) if opens else calendar.loaded_at,
    )


def _enrollment(row: Rows) -> Enrollment:
    """Return how one gets a place: where the leader talks with everybody first, by asking."""
    return Enrollment.APPLICATION if row.get("newcomer_talk") else Enrollment(row["enrollment"])


def _join_meetings(row: Rows) -> int:
    """Return the number of the meeting after which a group is closed to newcomers."""
    last = row.get("closes_to_newcomers_after_session")
    return next((n for n, s in enumerate(row["schedule"], 1) if s["id"] == last), 0)


def _closes_at(row: Rows, calendar: Calendar) -> datetime | None:
    if _join_meetings(row):
        return None
    deadline = row.get("application_deadline") or row.get("registration_closes")
    return calendar.end_of(deadline, row["time_zone"])


def _answer_by(row: Rows, calendar: Calendar) -> datetime | None:
    """Return until when the last applicant is told."""
    deadline = row.get("application_deadline") or row.get("registration_closes")
    end = calendar.end_of(deadline, row["time_zone"])
    days = row.get("answer_within_days")
    return end + timedelta(days=days) if end and days else None


def _credit(credits: Rows | None) -> str:
    return f"{credits['hours']:g} hours, {', '.join(credits['kind'])}" if credits else ""


def _add_schedule(event: Event, row: Rows, calendar: Calendar) -> None:
    for s in row["schedule"]:
        starts = calendar.moment(f"{s['date']}T{s['start']}", event.time_zone)
        ends = calendar.moment(f"{s['date']}T{s['end']}", event.time_zone)
        event.sessions.append(
            Session(
                starts_at=starts,
                ends_at=ends,
                title=s["title"],
                room=s.get("where", ""),
                credit_minutes=s.get("credit_minutes", 0),
            )
        )


def _add_leaders(event: Event, row: Rows, leaders: dict[str, Leader]) -> None:
    roles: dict[str, LeaderRole] = dict.fromkeys(row.get("directors", []), LeaderRole.DIRECTOR)
    groups = [one for g in row["groups"] for one in g["leaders"]]
    for one in [*groups, *row.get("faculty_other", [])]:
        roles.setdefault(one["person"], LeaderRole(one["role"]))
    if "contact_leader" in row:
        roles.setdefault(row["contact_leader"], LeaderRole.LEADER)
    for position, (person, role) in enumerate(roles.items()):
        event.assignments.append(Assignment(leader=leaders[person], role=role, position=position))


def _add_places(event: Event, row: Rows, programme: Programme) -> None:
    """Add pools, ticket types and prices; pools of options come with options."""
    used = {p for t in row["ticket_types"] for p in t["pools"]}
    for p in row["pools"]:
        if p["id"] in used:
            kind = POOL_KINDS.get(p["id"], PoolKind.TICKET_TYPE)
            pool = capacity.make_pool(event_id=event.id, name=p["id"], kind=kind, size=p["size"])
            programme.pools[row["id"], p["id"]] = pool
    first = row.get("early_rule", {}).get("first_n")
    if first:
        programme.early[row["id"]] = capacity.make_pool(
            event_id=event.id, name="early", kind=PoolKind.EARLY, size=first
        )
    for position, t in enumerate(row["ticket_types"]):
        note = _sentence(t.get("needs", "")) or (
            f"Please bring proof: {t['proof']}." if "proof" in t else ""
        )
        room = t.get("components", {}).get("room", 0)
        if PROOFS.get(t["id"]):
            note = _sentence(t.get("needs", ""))
        ticket = TicketType(
            name=t["title"],
            description=note,
            position=position,
            room_part=room,
            proof=PROOFS.get(t["id"], Proof.NONE),
        )
        event.ticket_types.append(ticket)
        for rate in Rate:
            if rate in t:
                ticket.prices.append(Price(rate=rate, amount=t[rate]))
        db.session.flush()
        programme.types[row["id"], t["id"]] = ticket
        rows = [
            {"ticket_type_id": ticket.id, "pool_id": programme.pools[row["id"], p].id}
            for p in t["pools"]
        ]
        db.session.execute(insert(ticket_type_pool), rows)


def _sentence(text: str) -> str:
    return f"For a {text}." if text else ""
