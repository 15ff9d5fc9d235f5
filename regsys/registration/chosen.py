"""Reading what people chose with their places, and who has used a code."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload

from regsys.discounts.models import Code
from regsys.events.models import Option
from regsys.kernel.db import db
from regsys.registration.models import OptionChoice, Registration
from regsys.registration.states import LIVE
from regsys.registration.states import RegistrationState as S


def list_choices(registration_ids: Sequence[int]) -> dict[int, list[OptionChoice]]:
    """List what these persons chose with their places, with the options, in their order."""
    query = (
        select(OptionChoice)
        .join(OptionChoice.option)
        .where(OptionChoice.registration_id.in_(registration_ids))
        .options(contains_eager(OptionChoice.option))
        .order_by(Option.position, Option.id)
        .execution_options(populate_existing=True)
    )
    found: dict[int, list[OptionChoice]] = {}
    for choice in db.session.scalars(query):
        found.setdefault(choice.registration_id, []).append(choice)
    return found


def spent_of(code_id: int) -> int:
    """Add up what places use of a credit, in minor units; what lapsed unpaid uses nothing.

    Whoever goes on to use some of it holds the lock of its pool.
    """
    mine = (Registration.code_id == code_id, Registration.state != S.EXPIRED)
    return int(db.session.scalar(select(func.sum(Registration.credit_used)).where(*mine)) or 0)


def is_overdrawn(registrations: Sequence[Registration]) -> bool:
    """Tell whether places that lapsed, taken again, would use more of their credit than there is."""
    again: dict[int, int] = {}
    for r in registrations:
        if r.state is S.EXPIRED and r.credit_used and r.code_id:
            again[r.code_id] = again.get(r.code_id, 0) + r.credit_used
    codes = {c: db.session.get_one(Code, c, populate_existing=True) for c in again}
    return any(spent_of(c) + n > (codes[c].amount or 0) for c, n in again.items())


def list_unseen_proofs(event_ids: Collection[int] | None) -> list[Registration]:
    """List placed people of these events (None: all) whose word for a trainee's price nobody has looked at yet."""
    proof = Registration.proof
    query = (
        select(Registration)
        .where(proof["kind"].as_string() == "trainee")
        .where(proof["by"].as_string().is_(None), proof["refused_by"].as_string().is_(None))
        .where(Registration.state.in_((S.AWAITING_PAYMENT, S.CONFIRMED)))
        .options(joinedload(Registration.event))
        .order_by(Registration.id)
    )
    if event_ids is not None:
        query = query.where(Registration.event_id.in_(event_ids))
    return list(db.session.scalars(query))


def list_code_users(code_id: int, *, but: int) -> set[str | None]:
    """List the addresses whose live registrations have a code, without those of one order."""
    query = select(Registration.email_key).where(
        Registration.code_id == code_id,
        Registration.state.in_(LIVE),
        Registration.order_id != but,
    )
    return set(db.session.scalars(query))
