"""What a code takes off, computed by hand: never more than the price, rounded half up to what can be charged."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from regsys.aid import rules as aid
from regsys.discounts import rules
from regsys.discounts.rules import Place, Terms
from regsys.events.kinds import Rate
from regsys.events.rules import EarlyRule, rate_for

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)

# Currency, price, percent in hundredths or None, amount or None, off. All in minor units.
CASES: list[tuple[str, int, int | None, int | None, int]] = [
    ("USD", 92000, 1000, None, 9200),  # 10 % of 920.00
    ("USD", 54000, 800, None, 4320),  # 8 % of 540.00
    ("USD", 39000, 800, None, 3120),
    ("USD", 64000, 1250, None, 8000),  # 12.5 % of 640.00
    ("USD", 56000, 3333, None, 18665),  # 186.648 is 186.65
    ("USD", 101, 5000, None, 51),  # 50.5 cents: half up
    ("USD", 103, 5000, None, 52),
    ("USD", 99, 5000, None, 50),  # 49.5 is 50
    ("USD", 90000, 10000, None, 90000),  # everything
    ("USD", 90000, 1, None, 9),  # 0.01 %
    ("USD", 3, 1, None, 0),
    ("USD", 0, 5000, None, 0),
    ("USD", 90000, None, 15000, 15000),
    ("USD", 9000, None, 15000, 9000),  # never below zero
    ("JPY", 98000, 1500, None, 14700),  # no decimals: yen are whole
    ("JPY", 98001, 1500, None, 14700),  # 14700.15
    ("JPY", 98010, 1500, None, 14702),  # 14701.5: half up
    ("JPY", 98000, None, 8000, 8000),
    ("KWD", 285500, 1000, None, 28550),  # three decimals, the last one 0
    ("KWD", 285550, 1000, None, 28560),  # 28.555 is 28.560
    ("KWD", 285540, 1000, None, 28550),  # 28.554 is 28.550
    ("KWD", 100000, None, 25000, 25000),
]


@pytest.mark.parametrize(("currency", "price", "percent", "amount", "off"), CASES)
def test_a_code_takes_off_what_was_worked_out_by_hand(
    currency: str, price: int, percent: int | None, amount: int | None, off: int
) -> None:
    terms = Terms(percent, amount, currency if amount else "")
    assert rules.discount(terms, price, currency) == off
    assert 0 <= off <= price


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        ({"percent": 500}, None),
        ({"percent": 500, "starts_at": NOW}, None),
        ({"percent": 500, "starts_at": NOW + DAY}, "CodeNotYet"),
        ({"percent": 500, "ends_at": NOW}, "CodeOver"),
        ({"percent": 500, "ends_at": NOW + DAY}, None),
        ({"percent": 500, "ended": True}, "CodeOver"),
        ({"amount": 500, "currency": "USD"}, None),
        ({"amount": 500, "currency": "EUR"}, "CodeOtherCurrency"),
    ],
)
def test_a_code_is_valid_in_its_time_and_currency(
    facts: dict[str, Any], refused: str | None
) -> None:
    found = rules.why_not(Terms(**facts), "USD", NOW)
    assert (found.name if found else None) == refused


@pytest.mark.parametrize(
    ("workplaces", "least", "group"),
    [
        (["A", "a ", "B"], 1, [0, 1, 2]),
        (["A", "a ", "B"], 2, [0, 1]),
        (["A", "B", "B", "B"], 3, [1, 2, 3]),
        (["", "", ""], 3, []),
    ],
)
def test_a_group_is_the_largest_of_one_workplace(
    workplaces: list[str], least: int, group: list[int]
) -> None:
    terms = Terms(percent=800, min_group=least)
    places = [Place(i, 54000, w) for i, w in enumerate(workplaces)]
    found = [p.id for p in rules.group_of(terms, places)]
    assert found == group
    assert bool(rules.why_not_group(terms, len(found))) is (len(group) < least)


@pytest.mark.parametrize(
    ("total", "currency", "fine"),
    [
        (0, "USD", True),
        (49, "USD", False),
        (50, "USD", True),
        (49, "JPY", False),
        (55, "KWD", False),
    ],
)
def test_what_is_left_can_be_charged(total: int, currency: str, fine: bool) -> None:
    assert (rules.why_not_left(total, currency) is None) is fine


EARLY_UNTIL = NOW + 10 * DAY
# Currency, (early, regular), when, early places left (None: no first N), code, options, what one pays, the rate.
WHOLE: list[tuple[str, tuple[int, int], datetime, int | None, Terms | None, list[int], int, Rate]]
WHOLE = [
    ("USD", (92000, 99000), NOW, None, None, [], 92000, Rate.EARLY),
    ("USD", (92000, 99000), EARLY_UNTIL, None, None, [], 99000, Rate.REGULAR),
    ("USD", (92000, 99000), NOW, 5, None, [], 92000, Rate.EARLY),
    ("USD", (92000, 99000), NOW, 0, None, [], 99000, Rate.REGULAR),
    ("USD", (92000, 99000), EARLY_UNTIL, 5, None, [], 99000, Rate.REGULAR),
    ("USD", (66000, 71000), NOW, 5, Terms(percent=1000), [], 59400, Rate.EARLY),
    ("USD", (66000, 71000), NOW, 0, Terms(percent=1000), [], 63900, Rate.REGULAR),
    # 8 % of 540.00 is 43.20; the dinner for 32.00 is not lowered.
    ("USD", (54000, 60000), NOW, 16, Terms(percent=800), [3200], 52880, Rate.EARLY),
    ("USD", (54000, 60000), NOW, 0, Terms(percent=800), [3200, 24000], 82400, Rate.REGULAR),
    ("USD", (54000, 60000), NOW, 1, Terms(amount=60000, currency="USD"), [3200], 3200, Rate.EARLY),
    ("USD", (54000, 60000), NOW, 1, Terms(percent=10000), [], 0, Rate.EARLY),
    ("JPY", (98000, 110000), NOW, None, Terms(percent=1500), [5500], 88800, Rate.EARLY),
    ("JPY", (98001, 110000), NOW, None, Terms(percent=1500), [], 83301, Rate.EARLY),
    ("KWD", (285550, 300000), NOW, None, Terms(percent=1000), [12500], 269490, Rate.EARLY),
    ("KWD", (285550, 300000), EARLY_UNTIL, None, Terms(percent=1250), [], 262500, Rate.REGULAR),
]  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_date_first_n_tier_code_option_and_currency_together(case: Any) -> None:
    currency, grid, when, left, terms, options, pays, rate = case
    found = rate_for(EarlyRule(EARLY_UNTIL, left), True, when)
    place = grid[0] if found is Rate.EARLY else grid[1]
    off = rules.discount(terms, place, currency) if terms else 0
    assert (found, place - off + sum(options)) == (rate, pays)


# Currency, early price, code, options, what the fund has, the award, what one pays or why not. Worked out by hand.
HELPED: list[tuple[str, int, Terms | None, list[int], int, int, int | str]]
HELPED = [
    ("USD", 92000, None, [], 250000, 59000, 33000),
    ("USD", 92000, None, [], 59000, 59000, 33000),  # the last of the fund
    ("USD", 92000, None, [], 58999, 59000, "FundShort"),
    ("USD", 92000, None, [], 250000, 92000, 0),  # all of it
    ("USD", 92000, None, [], 250000, 92001, "AboveFee"),
    ("USD", 92000, None, [], 250000, 91951, "TooLittleLeft"),  # 0.49 cannot be charged
    ("USD", 92000, None, [], 250000, 91950, 50),
    ("USD", 92000, None, [], 250000, 0, "NotAnAmount"),
    # 10 % of 660.00 first, then the award; what is chosen with the place may be helped with too.
    ("USD", 66000, Terms(percent=1000), [], 250000, 30000, 29400),
    ("USD", 54000, Terms(percent=800), [3200], 250000, 52880, 0),
    ("JPY", 98001, Terms(percent=1500), [5500], 100000, 40000, 48801),
    ("KWD", 285550, Terms(percent=1000), [12500], 300000, 100000, 169490),
    ("KWD", 285550, None, [], 300000, 100005, "NotAnAmount"),  # three decimals, the last one 0
]


@pytest.mark.parametrize("case", HELPED)
def test_help_with_the_fee_comes_off_last(case: Any) -> None:
    currency, place, terms, options, left, award, pays = case
    off = rules.discount(terms, place, currency) if terms else 0
    price = place - off + sum(options)
    refusal = aid.why_not_award(award, price=price, left=left, currency=currency)
    assert (refusal.name if refusal else price - award) == pays
    assert aid.most(price, left, currency) <= min(price, left)
