"""Reading applications, with a constant number of queries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.orm import joinedload

from regsys.applications import rules
from regsys.applications.models import Application, ApplicationDraft, Review
from regsys.applications.states import WAITING, ApplicationState
from regsys.events.models import Event
from regsys.events.states import EventState
from regsys.kernel import tokens
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.registration import queries as registration
from regsys.registration.kinds import OrderSource
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState

Scope = Collection[int] | None

WHOLE = (
    joinedload(Application.event).joinedload(Event.venue),
    joinedload(Application.ticket_type),
    joinedload(Application.registration).joinedload(Registration.order),
)
MOST = 50


def find_draft(token: str) -> ApplicationDraft | None:
    """Find an application that is not sent yet, by the secret of its link."""
    query = select(ApplicationDraft).where(ApplicationDraft.token_hash == tokens.hash_token(token))
    return db.session.scalar(query.options(joinedload(ApplicationDraft.event)))


def find_by_token(token: str) -> Application | None:
    """Find an application by the secret of its link, with its event, and the place that is held."""
    return db.session.scalar(_whole().where(Application.token_hash == tokens.hash_token(token)))


def get_application(application_id: int, *, event_id: int) -> Application:
    """Get an application of this event; raise NotFound, also where it belongs to another."""
    mine = (Application.id == application_id, Application.event_id == event_id)
    found = db.session.scalar(_whole().where(*mine))
    if found is None:
        raise NotFound(N_("There is no such application."))
    return found


def _whole() -> Select[Application]:
    return select(Application).options(*WHOLE).execution_options(populate_existing=True)


def find_standing(event_id: int, email_key: str) -> Application | None:
    """Find the application to an event under this address (casefolded) that was not withdrawn."""
    mine = (Application.event_id == event_id, Application.email_key == email_key)
    withdrawn = Application.state == ApplicationState.WITHDRAWN
    return db.session.scalar(_whole().where(*mine, ~withdrawn))


def list_chosen(event_id: int, ids: Collection[int]) -> list[Application]:
    """List these applications of an event by name; those of other events are left out."""
    query = _whole().where(Application.event_id == event_id, Application.id.in_(ids))
    return list(db.session.scalars(query.order_by(Application.last_name, Application.id)))


def stand_of(a: Application, *, now: datetime) -> rules.Stand:
    """Return where one applicant stands."""
    ends = registration.list_ends([a.registration_id], now=now) if a.registration_id else {}
    return _stand(a, ends)


def _stand(a: Application, ends: registration.Ends) -> rules.Stand:
    r = a.registration
    return rules.stand(
        a.state,
        asked=bool(a.asked),
        off=a.event.state is EventState.CANCELLED,
        registration=r.state if r else None,
        held=bool(r and r.id in ends),
        paying=bool(r and r.id in ends and ends[r.id] is None),
    )


# ---- for those who decide


@dataclass(frozen=True)
class Filter:
    """Which applications of an event are listed; no state: all."""

    states: frozenset[ApplicationState] = frozenset()
    ticket_type_id: int | None = None
    words: str = ""
    page: int = 1


@dataclass(frozen=True)
class Row:
    """One application in the list."""

    application: Application
    stand: rules.Stand
    scores: rules.Scores


def list_rows(
    event_id: int, wanted: Filter, *, now: datetime, size: int = MOST
) -> tuple[list[Row], int]:
    """List the applications of an event, the oldest first, with how many there are in all."""
    where = _where(event_id, wanted)
    total = db.session.scalar(select(func.count()).select_from(Application).where(*where)) or 0
    query = (
        _whole()
        .where(*where)
        .order_by(Application.submitted_at, Application.id)
        .limit(size)
        .offset((max(wanted.page, 1) - 1) * size)
    )
    found = list(db.session.scalars(query))
    ends = registration.list_ends([a.registration_id for a in found if a.registration_id], now=now)
    reviews = _list_scores([a.id for a in found])
    rows = [
        Row(a, _stand(a, ends), rules.scores_of(reviews.get(a.id, []), a.version)) for a in found
    ]
    return rows, total


def _where(event_id: int, wanted: Filter) -> list[ColumnElement[bool]]:
    where = [Application.event_id == event_id]
    if wanted.states:
        where.append(Application.state.in_(wanted.states))
    if wanted.ticket_type_id:
        where.append(Application.ticket_type_id == wanted.ticket_type_id)
    for word in wanted.words.split()[:5]:
        names = (Application.first_name, Application.last_name, Application.email)
        where.append(or_(*(c.icontains(word, autoescape=True) for c in names)))
    return where


def _list_scores(ids: Sequence[int]) -> dict[int, list[tuple[int | None, int]]]:
    query = select(Review.application_id, Review.score, Review.version).where(
        Review.application_id.in_(ids)
    )
    found: dict[int, list[tuple[int | None, int]]] = {}
    for application_id, score, version in db.session.execute(query):
        found.setdefault(application_id, []).append((score, version))
    return found


def list_reviews(application_id: int) -> list[Review]:
    """List what the reviewers think of an application, the newest last."""
    query = (
        select(Review)
        .where(Review.application_id == application_id)
        .options(joinedload(Review.user))
        .order_by(Review.at, Review.id)
    )
    return list(db.session.scalars(query))


def count_by_state(event_id: int) -> dict[ApplicationState, int]:
    """Count the applications of an event by state."""
    query = (
        select(Application.state, func.count().label("n"))
        .where(Application.event_id == event_id)
        .group_by(Application.state)
    )
    found = {row.state: row.n for row in db.session.execute(query)}
    return {state: found.get(state, 0) for state in ApplicationState}


def count_waiting(event_ids: Collection[int]) -> dict[int, int]:
    """Count the applications that wait for a decision, by event."""
    query = (
        select(Application.event_id, func.count())
        .where(Application.event_id.in_(event_ids), Application.state.in_(WAITING))
        .group_by(Application.event_id)
    )
    return {event_id: n for event_id, n in db.session.execute(query)}  # noqa: C416


@dataclass(frozen=True)
class Desk:
    """An event with its applications, as far as they wait for a decision."""

    event: Event
    waiting: int
    oldest: datetime | None
    total: int


def list_desks(scope: Scope) -> list[Desk]:
    """List the events of this scope (None: all) to which people applied, those with somebody waiting first."""
    waits = Application.state.in_(WAITING)
    query = (
        select(
            Event,
            func.count(Application.id).filter(waits),
            func.min(Application.submitted_at).filter(waits),
            func.count(Application.id),
        )
        .join(Application, Application.event_id == Event.id)
        .where(true() if scope is None else Event.id.in_(scope))
        .group_by(Event.id)
        .order_by(Event.starts_at, Event.id)
    )
    desks = [Desk(*row) for row in db.session.execute(query)]
    return sorted(desks, key=lambda d: d.waiting == 0)


# ---- for the sweep


def list_to_remind(*, now: datetime) -> list[Application]:
    """List who was accepted, has not taken the place that is held, and was not reminded yet."""
    query = _held_here(RegistrationState.AWAITING_PAYMENT).where(Application.reminded_at.is_(None))
    return [
        a
        for a in db.session.scalars(query)
        if a.registration
        and a.registration.order.held_until
        and rules.remind_at(a.registration.created_at, a.registration.order.held_until)
        <= now
        < a.registration.order.held_until
    ]


def list_lapsed() -> list[int]:
    """List the applications whose place was let go, and who were not told yet."""
    query = _held_here(RegistrationState.EXPIRED).where(Application.lapsed_at.is_(None))
    return [a.id for a in db.session.scalars(query)]


def _held_here(state: RegistrationState) -> Select[Application]:
    """Choose the accepted with a place in this state; of places from the waiting list, that room writes."""
    return (
        _whole()
        .join(Registration, Registration.id == Application.registration_id)
        .join(Order, Order.id == Registration.order_id)
        .where(Application.state == ApplicationState.ACCEPTED, Registration.state == state)
        .where(Order.source == OrderSource.APPLICATION)
        .order_by(Application.id)
    )


def list_called_off() -> list[int]:
    """List the applications that wait for a decision about an event that will not take place."""
    query = (
        select(Application.id)
        .join(Application.event)
        .where(Event.state == EventState.CANCELLED, Application.state.in_(WAITING))
    )
    return list(db.session.scalars(query.order_by(Application.id)))


def list_resting_drafts(*, now: datetime) -> list[int]:
    """List drafts that have rested, and whose link was not mailed to the address in them."""
    query = select(ApplicationDraft.id).where(
        ApplicationDraft.saved_at < now - rules.DRAFT_RESTS,
        ApplicationDraft.mailed_to != ApplicationDraft.email,
    )
    return list(db.session.scalars(query.order_by(ApplicationDraft.id)))


def list_old_drafts(*, now: datetime) -> list[int]:
    """List drafts that nobody has touched for so long that they are forgotten."""
    query = select(ApplicationDraft.id).where(ApplicationDraft.saved_at < now - rules.FORGET_AFTER)
    return list(db.session.scalars(query.order_by(ApplicationDraft.id)))


def list_accepted_without_place() -> list[int]:
    """List who was accepted while all places were taken, in the order in which that was decided."""
    query = (
        select(Application.id)
        .join(Event, Event.id == Application.event_id)
        .where(Application.state == ApplicationState.ACCEPTED)
        .where(Application.registration_id.is_(None), Event.state == EventState.PUBLISHED)
        .order_by(Application.state_at, Application.id)
    )
    return list(db.session.scalars(query))
