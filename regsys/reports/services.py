"""What leaves the house, or is looked at behind a door, is written down."""

from collections.abc import Sequence
from datetime import datetime

from regsys.audit.services import record
from regsys.jobs import services as jobs
from regsys.kernel.actors import Actor
from regsys.registration.queries import get_registration
from regsys.reports import queries
from regsys.reports.queries import Filter


def log_export(
    chosen: Filter, kind: str, *, event_id: int | None, actor: Actor, now: datetime
) -> None:
    """Write down who takes which list out, and how it was narrowed; `event_id` None: a list across events."""
    after = {
        "format": kind,
        "rows": queries.count_rows(chosen),
        "states": [str(s) for s in chosen.states],
        "words": chosen.words,
        "ticket_type": chosen.ticket_type_id,
        "open_answers": chosen.open_answers,
    }
    if event_id is None:
        after["events"] = _some(chosen.event_ids)
    record(
        "registrations.exported",
        ("event", event_id or 0),
        actor=actor,
        now=now,
        event_id=event_id,
        after={k: v for k, v in after.items() if v},
    )


def log_sheet(what: str, kind: str, *, event_id: int, actor: Actor, now: datetime) -> None:
    """Write down who takes applications or the waiting list of an event out."""
    after = {"what": what, "format": kind}
    subject = ("event", event_id)
    record("sheet.exported", subject, actor=actor, now=now, event_id=event_id, after=after)


def log_money_export(kind: str, *, what: str, rows: int, actor: Actor, now: datetime) -> None:
    """Write down who takes out the list of payments and refunds, or (`what`) of papers."""
    after = {"format": kind, "rows": rows}
    record(f"{what}.exported", ("site", 0), actor=actor, now=now, after=after)


def _some(ids: Sequence[int]) -> list[int]:
    return sorted(ids)[:200]


def log_private_answers(
    registration_id: int, *, event_id: int, actor: Actor, now: datetime
) -> None:
    """Write down who reads somebody's sensitive answers; raise NotFound for a registration of another event."""
    registration = get_registration(registration_id, event_id=event_id)
    record(
        "answers.read",
        ("registration", registration.id),
        actor=actor,
        now=now,
        event_id=event_id,
        order_id=registration.order_id,
    )


def revive_job(job_id: int, *, actor: Actor, now: datetime) -> None:
    """Give work that was given up another round; raise IllegalMove if it was not."""
    jobs.revive(job_id, now=now)
    record("job.revived", ("job", job_id), actor=actor, now=now)
