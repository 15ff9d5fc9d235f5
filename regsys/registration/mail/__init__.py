"""The letters of this room; each is composed in the transaction that makes it true, under a key of its own."""

from regsys.registration.mail.answers import send_answers_changed
from regsys.registration.mail.cancelling import (
    send_cancelled,
    send_event_cancelled,
    send_order_cancelled,
)
from regsys.registration.mail.handing import (
    send_hand_over_asked,
    send_hand_over_declined,
    send_handed_over,
)
from regsys.registration.mail.leaving import papers_link, send_credit, send_left, send_place_free
from regsys.registration.mail.letters import (
    location,
    rows_of,
    send_cart_link,
    send_confirmation,
    send_confirmations,
    send_existing_link,
    send_hold_expired,
    send_pay_link,
    send_to_payer,
    when,
    where,
)
from regsys.registration.mail.minimum import send_at_risk, send_not_sure
from regsys.registration.mail.moving import (
    send_move_asked,
    send_move_lapsed,
    send_move_waits,
    send_moved,
)
from regsys.registration.mail.vouching import send_proof_accepted, send_proof_refused

__all__ = [
    "location",
    "papers_link",
    "rows_of",
    "send_answers_changed",
    "send_at_risk",
    "send_cancelled",
    "send_cart_link",
    "send_confirmation",
    "send_confirmations",
    "send_credit",
    "send_event_cancelled",
    "send_existing_link",
    "send_hand_over_asked",
    "send_hand_over_declined",
    "send_handed_over",
    "send_hold_expired",
    "send_left",
    "send_move_asked",
    "send_move_lapsed",
    "send_move_waits",
    "send_moved",
    "send_not_sure",
    "send_order_cancelled",
    "send_pay_link",
    "send_place_free",
    "send_proof_accepted",
    "send_proof_refused",
    "send_to_payer",
    "when",
    "where",
]
