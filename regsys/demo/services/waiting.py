"""The waiting lists, with the offers that were made."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from regsys.applications.models import Application
from regsys.capacity import services as capacity
from regsys.demo.services.calendar import Calendar
from regsys.demo.services.forms import in_words
from regsys.demo.services.programme import Programme
from regsys.events.queries import list_pool_ids
from regsys.kernel import tokens
from regsys.kernel.db import db
from regsys.kernel.text import email_key
from regsys.registration.models import Order
from regsys.waitlist.models import Entry, Offer, waitlist_place
from regsys.waitlist.states import EntryState

Rows = dict[str, Any]


def load_waiting(
    data: Rows, programme: Programme, orders: dict[str, Order], calendar: Calendar
) -> None:
    """Load the lists; an offer that is open holds its place."""
    people = {p["id"]: p for p in data["people"]}
    applied = {
        row["waiting_list"]: (programme.events[row["event"]].id, people[row["person"]]["email"])
        for row in data["applications"]
        if "waiting_list" in row
    }
    application_of = {(a.event_id, a.email): a.id for a in db.session.scalars(select(Application))}
    order_of = {r["id"]: orders[r["order"]] for r in data["registrations"]}
    for row in data["events"]:
        event = programme.events[row["id"]]
        event.waitlist = row.get("waitlist", True)
        event.offer_hours = row.get("waitlist_offer_hours", 72)
    for position, row in enumerate(data["waiting_list"], start=1):
        entry = _make_entry(row, people[row["person"]], position, programme, calendar)
        entry.application_id = application_of.get(applied.get(row["id"], (0, "")))
        db.session.add(entry)
        capacity.note_waiting(_pools(entry))
        for one in row.get("offers", []):
            offer = _make_offer(one, entry, calendar)
            offer.order_id = order_of[row["registration"]].id if "registration" in row else None
            db.session.add(offer)
            db.session.flush()
            if offer.ended_at is None:
                _hold(offer, now=calendar.loaded_at)
    db.session.flush()


def _make_entry(
    row: Rows, person: Rows, position: int, programme: Programme, calendar: Calendar
) -> Entry:
    token = tokens.new_token()
    joined = calendar.moment(row["joined_at"])
    skipped = row.get("skipped", [])
    last = row.get("offers", [{}])[-1]
    left = row.get("left_at") or last.get("answered_at") or last.get("expires_at")
    entry = Entry(
        event=programme.events[row["event"]],
        token=token,
        token_hash=tokens.hash_token(token),
        state=EntryState(row["state"]),
        state_at=calendar.maybe(left) or joined,
        position=position,
        size=1,
        **{k: person[k] for k in ("first_name", "last_name", "email")},
        email_key=email_key(person["email"]),
        profession=in_words(person["profession"]),
        time_zone=person.get("time_zone", ""),
        joined_at=joined,
        skipped_at=calendar.moment(skipped[-1]["at"]) if skipped else None,
        note=(skipped[-1]["note"] if skipped else row.get("note", ""))[:500],
        left_reason=row.get("reason", ""),
    )
    entry.types = [programme.types[row["event"], row["ticket_type"]]]
    return entry


def _make_offer(row: Rows, entry: Entry, calendar: Calendar) -> Offer:
    token = tokens.new_token()
    is_open = entry.state is EntryState.OFFERED
    until = calendar.moment(row["expires_at"])
    return Offer(
        entry=entry,
        token=token,
        token_hash=tokens.hash_token(token),
        ticket_type=entry.types[0],
        made_at=calendar.moment(row["made_at"]),
        until=calendar.running(row["expires_at"]) if is_open else until,
        ended_at=None if is_open else calendar.maybe(row.get("answered_at")) or until,
        # Whoever took it was not left without word.
        told_at=None if is_open else until,
    )


def _pools(entry: Entry) -> list[int]:
    type_id = entry.types[0].id
    return list_pool_ids([type_id])[type_id]


def _hold(offer: Offer, *, now: datetime) -> None:
    entry = offer.entry
    for claim_id in capacity.hold(_pools(entry), entry.size, now=now, until=offer.until):
        row = {"offer_id": offer.id, "claim_id": claim_id}
        db.session.execute(insert(waitlist_place).values(row))
