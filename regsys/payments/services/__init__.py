"""What happens to attempts, events and refunds, inside the caller's transaction."""

from regsys.payments.services.attempts import (
    Back,
    Plan,
    Step,
    abandon,
    note_failure,
    open_attempt,
    place_and_open,
    record_session,
)
from regsys.payments.services.by_hand import give_by_hand, receive_by_hand, take_back
from regsys.payments.services.following import apply_dispute, apply_refunds, finish_refund
from regsys.payments.services.giving import (
    cancel_order,
    finish_cancellation,
    give_back,
    start_cancellation,
)
from regsys.payments.services.inbox import fail_event, mark_event, receive
from regsys.payments.services.leaving import CHANGED, Left, cancel_person, leave, leaving_of
from regsys.payments.services.moving import Moved, move_for, move_place
from regsys.payments.services.promises import keep_promise
from regsys.payments.services.refunding import RefundOrder, request_full_refund, submit_refund
from regsys.payments.services.rests import follow_rest
from regsys.payments.services.settling import apply_session

__all__ = [
    "CHANGED",
    "Back",
    "Left",
    "Moved",
    "Plan",
    "RefundOrder",
    "Step",
    "abandon",
    "apply_dispute",
    "apply_refunds",
    "apply_session",
    "cancel_order",
    "cancel_person",
    "fail_event",
    "finish_cancellation",
    "finish_refund",
    "follow_rest",
    "give_back",
    "give_by_hand",
    "keep_promise",
    "leave",
    "leaving_of",
    "mark_event",
    "move_for",
    "move_place",
    "note_failure",
    "open_attempt",
    "place_and_open",
    "receive",
    "receive_by_hand",
    "record_session",
    "request_full_refund",
    "start_cancellation",
    "submit_refund",
    "take_back",
]
