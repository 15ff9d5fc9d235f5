"""Reading places that are on their way to a colleague."""

from collections.abc import Collection

from sqlalchemy import select, true
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


def list_asked_hand_overs(event_ids: Collection[int] | None) -> list[HandOver]:
    """List hand-overs on which an organizer has to decide, oldest first; `event_ids` None: of all events."""
    query = (
        select(HandOver)
        .join(HandOver.registration)
        .where(HandOver.state == H.ASKED)
        .where(true() if event_ids is None else Registration.event_id.in_(event_ids))
        .options(*HANDED)
        .order_by(HandOver.id)
    )
    return list(db.session.scalars(query))
