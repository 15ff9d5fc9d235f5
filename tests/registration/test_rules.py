"""Pure answers about carts, orders and registrations: tables of cases."""

from datetime import UTC, datetime, timedelta

import pytest

from regsys.events.kinds import EventKind
from regsys.registration import rules
from regsys.registration.rules import Change, OrderState, Seat, Step
from regsys.registration.states import RegistrationState as S

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=30)


def name(refusal: object) -> str | None:
    return getattr(refusal, "name", None)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (EventKind.LEADERSHIP_TRAINING_INTENSIVE, {"credentials", "profession", "workplace"}),
        (EventKind.INTENSIVE_ON_THE_ROAD, {"credentials", "profession", "workplace"}),
        (EventKind.BALINT_WEEKEND, {"credentials", "profession", "workplace"}),
        (EventKind.OPEN_ENROLLMENT_GROUP, {"profession"}),
        (EventKind.ROTATING_LEADER_GROUP, {"profession"}),
        (EventKind.INTRODUCTORY_DEMONSTRATION, {"profession"}),
        (EventKind.OTHER, {"profession"}),
    ],
)
def test_more_is_asked_where_certificates_are_given(kind: EventKind, fields: set[str]) -> None:
    assert rules.required_of_person(kind) == fields


def test_a_hold_ends_after_its_minutes() -> None:
    assert rules.hold_until(NOW, 30) == LATER


@pytest.mark.parametrize(
    ("days", "until"),
    [(30, timedelta(days=7)), (3, timedelta(days=3)), (-1, timedelta(minutes=15))],
)
def test_a_pay_link_lasts_a_week_and_not_beyond_the_start(days: int, until: timedelta) -> None:
    assert rules.pay_link_until(NOW, NOW + timedelta(days=days)) == NOW + until


@pytest.mark.parametrize(
    ("extended", "held", "refusal"),
    [
        (False, True, None),
        (True, True, "ExtendedAlready"),
        (False, False, "HoldExpired"),
        (True, False, "HoldExpired"),
    ],
)
def test_a_hold_is_made_longer_once(extended: bool, held: bool, refusal: str | None) -> None:
    assert name(rules.why_not_extend(extended=extended, held=held)) == refusal


@pytest.mark.parametrize(
    ("cart", "wanted", "others", "refusal"),
    [
        (None, 1, 0, None),
        ("USD", 10, 0, None),
        ("USD", 4, 6, None),
        ("USD", 0, 0, "NothingChosen"),
        ("USD", 0, 3, "NothingChosen"),
        ("EUR", 1, 1, "OtherCurrency"),
        ("USD", 11, 0, "TooManyPlaces"),
        ("USD", 5, 6, "TooManyPlaces"),
    ],
)
def test_what_a_cart_takes(cart: str | None, wanted: int, others: int, refusal: str | None) -> None:
    found = rules.why_not_in_cart(currency="USD", cart_currency=cart, wanted=wanted, others=others)
    assert name(found) == refusal


@pytest.mark.parametrize(
    ("wanted", "have", "change"),
    [
        ({1: 2}, [], Change({1: 2}, [])),
        ({1: 2}, [(7, 1, False), (8, 1, False)], Change({}, [])),
        ({1: 3}, [(7, 1, True)], Change({1: 2}, [])),
        # The last nameless one goes first; named ones only if they must.
        ({1: 1}, [(7, 1, True), (8, 1, False), (9, 1, False)], Change({}, [9, 8])),
        ({1: 1}, [(7, 1, False), (8, 1, True)], Change({}, [7])),
        ({1: 0}, [(7, 1, True)], Change({}, [7])),
        # Another type: one goes, another comes.
        ({1: 0, 2: 1}, [(7, 1, True)], Change({2: 1}, [7])),
        ({2: 1}, [(7, 1, True)], Change({2: 1}, [7])),
    ],
)
def test_only_the_difference_is_claimed(
    wanted: dict[int, int], have: list[tuple[int, int, bool]], change: Change
) -> None:
    assert rules.change_of(wanted, have) == change


ME, GUEST, NOBODY = Seat(True, True, False), Seat(False, True, False), Seat(False, False, False)
DONE = Seat(True, True, True)


@pytest.mark.parametrize(
    ("known", "seats", "step"),
    [
        (False, [NOBODY], (Step.PAYER, 0)),
        (False, [GUEST], (Step.PAYER, 0)),
        (True, [ME], (Step.ANSWERS, 1)),
        (True, [DONE], (Step.REVIEW, 0)),
        (True, [NOBODY], (Step.PERSON, 1)),
        (True, [ME, GUEST, NOBODY], (Step.PERSON, 3)),
        (True, [GUEST, ME, GUEST], (Step.ANSWERS, 2)),
        (True, [DONE, ME], (Step.ANSWERS, 2)),
        (True, [GUEST, GUEST], (Step.REVIEW, 0)),
        (True, [], (Step.REVIEW, 0)),
    ],
)
def test_the_first_screen_with_something_missing_comes_next(
    known: bool, seats: list[Seat], step: tuple[Step, int]
) -> None:
    assert rules.next_step(payer_known=known, seats=seats) == step


@pytest.mark.parametrize(
    ("states", "due", "holding", "ends_at", "state"),
    [
        ({S.AWAITING_PAYMENT}, 92000, True, LATER, OrderState.TO_PAY),
        ({S.AWAITING_PAYMENT}, 92000, True, None, OrderState.PAYING),
        ({S.AWAITING_PAYMENT}, 92000, False, None, OrderState.EXPIRED),
        ({S.AWAITING_PAYMENT, S.CANCELLED}, 1, True, LATER, OrderState.TO_PAY),
        ({S.CONFIRMED}, 0, False, None, OrderState.CONFIRMED),
        ({S.CONFIRMED, S.CANCELLED}, 0, False, None, OrderState.CONFIRMED),
        ({S.CONFIRMED}, 77000, False, None, OrderState.PARTLY),
        ({S.EXPIRED}, 0, False, None, OrderState.EXPIRED),
        ({S.EXPIRED, S.CANCELLED}, 0, False, None, OrderState.EXPIRED),
        ({S.CANCELLED}, 0, False, None, OrderState.CANCELLED),
    ],
)
def test_how_an_order_stands(
    states: set[S], due: int, holding: bool, ends_at: datetime | None, state: OrderState
) -> None:
    assert rules.order_state(states, due=due, holding=holding, ends_at=ends_at) is state


@pytest.mark.parametrize(
    ("states", "due", "holding", "off", "refusal"),
    [
        ({S.AWAITING_PAYMENT}, 92000, True, False, None),
        ({S.CONFIRMED}, 77000, False, False, None),
        ({S.AWAITING_PAYMENT}, 92000, False, False, "HoldExpired"),
        ({S.EXPIRED}, 0, False, False, "HoldExpired"),
        ({S.CONFIRMED}, 0, False, False, "NothingDue"),
        ({S.CANCELLED}, 0, False, False, "NothingDue"),
        ({S.AWAITING_PAYMENT}, 92000, True, True, "EventCancelled"),
    ],
)
def test_why_no_payment_is_opened(
    states: set[S], due: int, holding: bool, off: bool, refusal: str | None
) -> None:
    assert name(rules.why_not_pay(states, due=due, holding=holding, off=off)) == refusal


@pytest.mark.parametrize(
    ("state", "paying", "refusal"),
    [
        (S.AWAITING_PAYMENT, False, None),
        (S.AWAITING_PAYMENT, True, "PaymentOpen"),
        (S.CONFIRMED, False, "PaidPlace"),
        (S.EXPIRED, False, "GoneAlready"),
        (S.CANCELLED, False, "GoneAlready"),
        (S.DRAFT, False, "GoneAlready"),
    ],
)
def test_why_a_payer_cannot_take_a_person_off(state: S, paying: bool, refusal: str | None) -> None:
    assert name(rules.why_not_remove(state, paying=paying)) == refusal


@pytest.mark.parametrize(
    ("state", "paid", "paying", "refusal"),
    [
        (S.CONFIRMED, 0, False, None),
        (S.AWAITING_PAYMENT, 0, False, None),
        (S.CONFIRMED, 92000, False, "PaidPlace"),
        (S.AWAITING_PAYMENT, 0, True, "PaymentOpen"),
        (S.EXPIRED, 0, False, "GoneAlready"),
        (S.DRAFT, 0, False, "GoneAlready"),
    ],
)
def test_why_an_organizer_cannot_cancel(
    state: S, paid: int, paying: bool, refusal: str | None
) -> None:
    assert name(rules.why_not_cancel(state, paid=paid, paying=paying)) == refusal


@pytest.mark.parametrize(
    ("state", "now", "may"),
    [
        (S.CONFIRMED, NOW, True),
        (S.AWAITING_PAYMENT, NOW, True),
        (S.CONFIRMED, LATER, False),
        (S.EXPIRED, NOW, False),
        (S.CANCELLED, NOW, False),
    ],
)
def test_answers_can_change_until_the_event_is_over(state: S, now: datetime, may: bool) -> None:
    assert rules.may_answer(state, ends_at=LATER, now=now) is may
