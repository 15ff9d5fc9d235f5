"""Reading what people chose with their places, and who has used a code."""

from collections.abc import Collection, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import contains_eager, joinedload

from regsys.events.models import Event, Option
from regsys.events.states import EventState
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


def is_spent(code_id: int, *, but: int) -> bool:
    """Tell whether a credit was used: by a place of another order, or by one that was confirmed and given up.

    Where an event was called off it counts again.
    """
    query = (
        select(Registration.id)
        .join(Registration.event)
        .where(
            Registration.code_id == code_id,
            Registration.order_id != but,
            or_(Registration.state.in_(LIVE), Registration.confirmed_at.is_not(None)),
            Event.state != EventState.CANCELLED,
        )
    )
    return db.session.scalar(query.limit(1)) is not None


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
