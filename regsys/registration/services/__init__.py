"""The verbs of the main room."""

from regsys.registration.services.adjusting import adjust_price, put_on_again
from regsys.registration.services.bringing import bring_code, bring_options
from regsys.registration.services.byhand import (
    CONTACT,
    add_by_hand,
    edit_contact,
    resend,
    write_note,
)
from regsys.registration.services.carts import (
    extend_hold,
    put_back,
    put_in_cart,
    remove_from_cart,
    take_again,
)
from regsys.registration.services.checkout import (
    CheckoutFacts,
    PaidOutcome,
    confirm_paid,
    hold_for_checkout,
    release_checkout,
)
from regsys.registration.services.choosing import (
    Asked,
    choose_for_oneself,
    choose_options,
    may_choose,
    read_options,
)
from regsys.registration.services.crediting import end_credit, get_credit, reopen_credit
from regsys.registration.services.describing import (
    ABOUT,
    Person,
    answer,
    describe_payer,
    describe_person,
    keep_answers,
    mail_cart_link,
)
from regsys.registration.services.ending import (
    Share,
    cancel_for_event,
    cancel_paid,
    cancel_unpaid,
    delete_private_answers,
    expire_lapsed,
    forget,
    remove_person,
)
from regsys.registration.services.handing import (
    decide_hand_over,
    fill_hand_over,
    hand_over_for,
    offer_hand_over,
    why_not_hand,
    withdraw_hand_over,
)
from regsys.registration.services.leaving import ask_nobody, fit_back, keep_less, leave
from regsys.registration.services.lowering import lower_price, restore_price
from regsys.registration.services.minimum import (
    let_run,
    list_at_risk,
    stands_at_risk,
    tell_of_minimum,
    warn_of_minimum,
)
from regsys.registration.services.moving import ask_to_move, begin_move
from regsys.registration.services.offering import decline_offer, offer_place, take_offer
from regsys.registration.services.owing import confirm_owing, hold_for_payer, write_off
from regsys.registration.services.placing import place, place_cart
from regsys.registration.services.reducing import Applied, apply_code, drop_code
from regsys.registration.services.reserving import reserve
from regsys.registration.services.seating import (
    open_host_order,
    seat_person,
    set_agreed_sum,
    set_payer,
)
from regsys.registration.services.shared import lock_order
from regsys.registration.services.sharing import share_payment, stop_sharing
from regsys.registration.services.vouching import accept_proof, difference_of, refuse_proof

__all__ = [
    "ABOUT",
    "CONTACT",
    "Applied",
    "Asked",
    "CheckoutFacts",
    "PaidOutcome",
    "Person",
    "Share",
    "accept_proof",
    "add_by_hand",
    "adjust_price",
    "answer",
    "apply_code",
    "ask_nobody",
    "ask_to_move",
    "begin_move",
    "bring_code",
    "bring_options",
    "cancel_for_event",
    "cancel_paid",
    "cancel_unpaid",
    "choose_for_oneself",
    "choose_options",
    "confirm_owing",
    "confirm_paid",
    "decide_hand_over",
    "decline_offer",
    "delete_private_answers",
    "describe_payer",
    "describe_person",
    "difference_of",
    "drop_code",
    "edit_contact",
    "end_credit",
    "expire_lapsed",
    "extend_hold",
    "fill_hand_over",
    "fit_back",
    "forget",
    "get_credit",
    "hand_over_for",
    "hold_for_checkout",
    "hold_for_payer",
    "keep_answers",
    "keep_less",
    "leave",
    "let_run",
    "list_at_risk",
    "lock_order",
    "lower_price",
    "mail_cart_link",
    "may_choose",
    "offer_hand_over",
    "offer_place",
    "open_host_order",
    "place",
    "place_cart",
    "put_back",
    "put_in_cart",
    "put_on_again",
    "read_options",
    "refuse_proof",
    "release_checkout",
    "remove_from_cart",
    "remove_person",
    "reopen_credit",
    "resend",
    "reserve",
    "restore_price",
    "seat_person",
    "set_agreed_sum",
    "set_payer",
    "share_payment",
    "stands_at_risk",
    "stop_sharing",
    "take_again",
    "take_offer",
    "tell_of_minimum",
    "warn_of_minimum",
    "why_not_hand",
    "withdraw_hand_over",
    "write_note",
    "write_off",
]
