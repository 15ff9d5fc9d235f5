"""Reading places that are on their way to a colleague."""

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from regsys.events.models import Event
from regsys.kernel import tokens
from regsys.kernel.db import db
from regsys.registration.models import HandOver, Registration
from regsys.registration.states import HandOverState as H

HANDED = (
    joinedload(HandOver.registration).options(
        joinedload(Registration.order),
        joinedload(Registration.ticket_type),
        joinedload(Registration.event).joinedload(Event.venue),
    ),
)


def find_hand_over(token: str) -> HandOver | None:
    """Find a hand-over by the secret of its link, with the place and its event."""
    return db.session.scalar(
        select(HandOver).where(HandOver.token_hash == tokens.hash_token(token)).options(*HANDED)
    )


def find_open_hand_over(registration_id: int) -> HandOver | None:
    """Find the hand-over of a place that is under way."""
    mine = (HandOver.registration_id == registration_id, HandOver.state.in_((H.OPEN, H.ASKED)))
    return db.session.scalar(select(HandOver).where(*mine))


def list_asked_hand_overs(event_id: int) -> list[HandOver]:
    """List hand-overs in an event on which an organizer has to decide, oldest first."""
    query = (
        select(HandOver)
        .join(HandOver.registration)
        .where(Registration.event_id == event_id, HandOver.state == H.ASKED)
        .options(*HANDED)
        .order_by(HandOver.id)
    )
    return list(db.session.scalars(query))
