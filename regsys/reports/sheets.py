"""Applications and the waiting list as files. Column ids are stable; what reviewers note and score is never in them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regsys.applications import queries as applications
from regsys.applications.queries import Row as ApplicationRow
from regsys.applications.words import stand_chip
from regsys.events.models import Event
from regsys.kernel.text import N_
from regsys.questions.models import Answer, Question
from regsys.questions.queries import (
    list_readable_questions,
    readable_answers_of_applications,
)
from regsys.questions.types import type_of
from regsys.registration.words import proof_words
from regsys.reports.exports import (
    AUDIENCES,
    Cell,
    local,
)
from regsys.waitlist import queries as waitlist
from regsys.waitlist.models import Entry
from regsys.waitlist.words import entry_chip, why_words

BATCH = 250
Title = tuple[str, str, int]


@dataclass(frozen=True)
class Sheet:
    """A list to take out: its name, (id, title, width) of the columns, and the rows in batches as they come."""

    name: str
    columns: Sequence[Title]
    batches: Iterable[Sequence[Sequence[Cell]]]


# ---- applications

APPLICATIONS: Sequence[Title] = (
    ("first_name", N_("First name"), 16),
    ("last_name", N_("Last name"), 16),
    ("email", N_("E-mail"), 30),
    ("phone", N_("Phone"), 18),
    ("profession", N_("Profession"), 20),
    ("credentials", N_("Credentials"), 12),
    ("workplace", N_("Workplace"), 28),
    ("city", N_("City"), 16),
    ("ticket_type", N_("Ticket type"), 26),
    ("state", N_("State"), 24),
    ("submitted", N_("Sent"), 17),
    ("changed", N_("Changed"), 17),
    ("decided_by", N_("Decided by"), 20),
    ("registration", N_("Registration"), 14),
    ("proof", N_("Shown for the price"), 30),
    ("attested", N_("What they say of what is required"), 40),
)


def applications_of(event: Event, *, now: datetime) -> Sheet:
    """Return everybody who applied, with the answers that organizers may read, without the private ones."""
    asked = [q for q in list_readable_questions([event.id], AUDIENCES) if not q.sensitive]
    columns = [*APPLICATIONS, *((f"q_{q.key}", q.column_title, 24) for q in asked)]
    batches = _applications(event.id, event.time_zone, asked, now)
    return Sheet(N_("Applications"), columns, batches)


def _applications(
    event_id: int, zone: str, asked: Sequence[Question], now: datetime
) -> Iterator[Sequence[Sequence[Cell]]]:
    number = 1
    while True:
        wanted = applications.Filter(page=number)
        rows, _total = applications.list_rows(event_id, wanted, now=now, size=BATCH)
        ids = [row.application.id for row in rows]
        answers = readable_answers_of_applications(ids, AUDIENCES)
        yield [
            [
                *_applicant(row, zone),
                *(_answer(answers[row.application.id].get(q.key)) for q in asked),
            ]
            for row in rows
        ]
        if len(rows) < BATCH:
            return
        number += 1


def _applicant(row: ApplicationRow, zone: str) -> list[Cell]:
    a = row.application
    return [
        a.first_name,
        a.last_name,
        a.email,
        a.phone,
        a.profession,
        a.credentials,
        a.workplace,
        a.city,
        a.ticket_type.name,
        stand_chip(row.stand)[0],
        local(a.submitted_at, zone),
        local(a.changed_at, zone),
        a.decided_by,
        a.registration.code if a.registration else None,
        proof_words(a.proof),
        "; ".join((a.attested or {}).values()),
    ]


def _answer(answer: Answer | None) -> Cell:
    if answer is None or answer.stored is None:
        return None
    return type_of(answer.question).export(answer.question, answer.stored)


# ---- the waiting list

WAITING: Sequence[Title] = (
    ("position", N_("Position"), 9),
    ("first_name", N_("First name"), 16),
    ("last_name", N_("Last name"), 16),
    ("email", N_("E-mail"), 30),
    ("profession", N_("Profession"), 20),
    ("size", N_("Places"), 8),
    ("ticket_types", N_("Ticket types"), 34),
    ("state", N_("State"), 12),
    ("why_not", N_("Why not offered"), 34),
    ("joined", N_("Joined"), 17),
    ("offers", N_("Offers"), 8),
    ("offered", N_("Last offer"), 17),
    ("until", N_("Held until"), 17),
    ("skipped", N_("Passed over"), 17),
    ("note", N_("Note"), 34),
    ("proof", N_("Shown for the price"), 30),
)


def waiting_of(event: Event, *, now: datetime) -> Sheet:
    """Return everybody who is or was on the list, in order, with why they are not offered a place."""
    turns = waitlist.turns_of(event, now=now)
    entries = waitlist.list_entries(event.id)
    rows = [_entry(e, turns, event.time_zone) for e in entries]
    return Sheet(N_("Waiting list"), WAITING, [rows])


def _entry(entry: Entry, turns: Any, zone: str) -> list[Cell]:
    turn, offer = turns.get(entry.id), entry.offer
    return [
        entry.position,
        entry.first_name,
        entry.last_name,
        entry.email,
        entry.profession,
        entry.size,
        "; ".join(t.name for t in entry.types),
        entry_chip(entry)[0],
        why_words(turn.why_not) if turn else None,
        local(entry.joined_at, zone),
        len(entry.offers),
        local(offer.made_at, zone) if offer else None,
        local(offer.until, zone) if offer else None,
        local(entry.skipped_at, zone),
        entry.note,
        proof_words(entry.proof),
    ]
