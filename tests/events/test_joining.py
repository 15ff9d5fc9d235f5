"""Joining a group that has begun: until when, and what of the price is to pay."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsys.events.rules import Share, joins_until, pro_rated, share_left
from regsys.kernel.money import chargeable

FIRST = datetime(2027, 3, 2, 18, tzinfo=UTC)
HOURS = timedelta(hours=2)
MEETINGS = [(FIRST + timedelta(weeks=n), FIRST + timedelta(weeks=n) + HOURS) for n in range(8)]


@pytest.mark.parametrize(
    ("count", "until"),
    [
        (0, FIRST),
        (1, FIRST + HOURS),
        (3, FIRST + timedelta(weeks=2) + HOURS),
        (99, MEETINGS[-1][1]),
    ],
)
def test_a_group_closes_to_newcomers_when_the_named_meeting_is_over(
    count: int, until: datetime
) -> None:
    assert joins_until(MEETINGS, count, starts_at=FIRST) == until
    assert joins_until([], count, starts_at=FIRST) == FIRST


def test_a_meeting_that_has_begun_is_missed() -> None:
    starts = [start for start, _end in MEETINGS]
    assert share_left(starts, FIRST - HOURS) == Share(8, 8)
    assert share_left(starts, FIRST) == Share(7, 8)
    assert share_left(starts, FIRST + timedelta(weeks=2)) == Share(5, 8)


@pytest.mark.parametrize(
    ("price", "share", "currency", "amount"),
    [
        (32000, Share(5, 8), "USD", 20000),
        (25000, Share(2, 3), "USD", 16667),  # 16666.67
        (25000, Share(1, 3), "USD", 8333),  # 8333.33
        (101, Share(1, 2), "USD", 51),  # half goes up
        (25000, Share(2, 3), "JPY", 16667),
        (25000, Share(2, 3), "KWD", 16670),  # a card takes no last digit
        (200, Share(1, 8), "USD", 50),  # 25 cents: the least that a card takes
        (0, Share(1, 8), "USD", 0),
        (25000, Share(8, 8), "USD", 25000),
    ],
)
def test_the_meetings_that_are_left_have_their_part_of_the_price(
    price: int, share: Share, currency: str, amount: int
) -> None:
    assert pro_rated(price, share, currency) == amount


@given(
    st.integers(50, 5_000_000).map(lambda n: n * 10),
    st.integers(1, 60),
    st.data(),
    st.sampled_from(("USD", "JPY", "KWD", "HUF")),
)
def test_a_part_of_a_price_is_never_more_than_it_and_can_be_charged(
    price: int, total: int, data: st.DataObject, currency: str
) -> None:
    left = data.draw(st.integers(1, total))
    part = pro_rated(price, Share(left, total), currency)
    assert 0 < part <= price
    if chargeable(price, currency):
        assert chargeable(part, currency)
    if left > 1:
        assert pro_rated(price, Share(left - 1, total), currency) <= part
