"""What comes back of a price that a credit paid in part: each part in its share, and a credit never becomes money."""

import pytest

from regsys.policies.rules import How, divide, settle

# Back by the rule, paid in money, paid by credit, the smallest coin: money back, credit back. By hand.
TABLE = [
    (50000, 35000, 15000, 1, 35000, 15000),  # everything
    (42500, 35000, 15000, 1, 29750, 12750),  # 500.00 less a fee of 75.00: 70 % of it was money
    (25000, 35000, 15000, 1, 17500, 7500),  # half
    (0, 35000, 15000, 1, 0, 0),
    (15000, 0, 15000, 1, 0, 15000),  # the credit paid all of it
    (7500, 0, 15000, 1, 0, 7500),
    (35000, 35000, 0, 1, 35000, 0),
    (333, 500, 499, 1, 167, 166),  # half a cent goes to the money
    (1, 1, 99999, 1, 1, 0),
    (9990, 5000, 9000, 10, 3570, 6420),  # dinars: the last of three digits is 0
    (3, 5000, 9000, 10, 3, 0),
    (0, 0, 0, 1, 0, 0),
]


@pytest.mark.parametrize(("back", "money", "credit", "unit", "cash", "again"), TABLE)
def test_what_comes_back_is_divided_by_what_was_paid(
    back: int, money: int, credit: int, unit: int, cash: int, again: int
) -> None:
    made = divide(back, money=money, credit=credit, unit=unit)
    assert (made.money, made.credit) == (cash, again)


def test_nobody_gets_more_back_than_came_in_either_way() -> None:
    for money in range(0, 60, 7):
        for credit in range(0, 60, 11):
            for back in range(money + credit + 1):
                made = divide(back, money=money, credit=credit, unit=10)
                assert made.money + made.credit == back
                assert 0 <= made.money <= money
                assert 0 <= made.credit <= credit


@pytest.mark.parametrize(
    ("how", "own", "cash", "again"),
    [
        (How.ALL, 0, 35000, 15000),
        (How.NOTHING, 9, 0, 0),
        (How.OWN, 0, 0, 0),
        (How.OWN, 20000, 20000, 0),
        (How.OWN, 40000, 35000, 5000),
        (How.OWN, 90000, 35000, 15000),
    ],
)
def test_an_amount_of_their_own_is_money_first(how: How, own: int, cash: int, again: int) -> None:
    made = settle(how, own, money=35000, credit=15000)
    assert (made.money, made.credit) == (cash, again)
