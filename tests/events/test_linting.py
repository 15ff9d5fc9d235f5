"""A stated percentage and the table of prices."""

import pytest

from regsys.events.kinds import Rate
from regsys.events.rules.linting import Priced, list_clashes


def priced(name: str, early: int, regular: int, text: str = "") -> Priced:
    return Priced(name, text, {Rate.EARLY: early, Rate.REGULAR: regular})


TYPES = [priced("Standard", 90000, 110000), priced("Trainee", 72000, 88000)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Book early and save 20 %.", []),  # trainees pay 20 % less: somebody may mean that
        ("Book early: 18.2 % off until March.", []),  # 900 instead of 1,100
        ("Book early: 18.2 percent off.", []),
        ("Early birds get 25 % off.", [(25.0, 20.0)]),
        ("15 % discount for early bookings.\nBring a coat.", [(15.0, 18.2)]),
        ("You get 50 % back until May.", []),  # a refund
        ("60 % of us are physicians.", []),
        ("10% off for one, 30% off for all.", [(10.0, 18.2), (30.0, 20.0)]),
    ],
)
def test_texts_are_compared_with_all_prices(text: str, found: list[tuple[float, float]]) -> None:
    assert [(c.stated, c.actual) for c in list_clashes([text], TYPES)] == found


def test_a_type_is_compared_with_itself() -> None:
    standard = priced("Standard", 90000, 110000, "20 % off if you are early")
    (clash,) = list_clashes([], [standard, TYPES[1]])
    assert (clash.stated, clash.actual, clash.words) == (20.0, 18.2, "20 % off if you are early")
    assert list_clashes([], [TYPES[0], priced("Trainee", 72000, 88000, "20 % less")]) == []
    assert list_clashes(["20 % off."], []) == []
