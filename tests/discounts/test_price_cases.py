"""What places cost, computed by hand: tier × date × first N × code × award × option × deposit × invoice × currency.

No amount here is worked out by a program: they were written down first, as the rows say how.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from regsys.aid import rules as aid
from regsys.billing import services as billing
from regsys.billing.paper import Addressee
from regsys.discounts import rules
from regsys.discounts.rules import Place, Terms
from regsys.discounts.services import Plan, make_code
from regsys.events.kinds import InvoiceTerms, OptionKind, Proof, Rate
from regsys.events.models import Event, TicketType
from regsys.events.queries import list_options
from regsys.events.rules import EarlyRule, rate_for
from regsys.events.services import OptionPlan, set_options
from regsys.kernel.actors import ANONYMOUS, SYSTEM
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.ledger.models import Document
from regsys.policies import services as policies
from regsys.policies.rules import read, split
from regsys.registration import queries, services
from regsys.registration.models import Order
from regsys.registration.owing import due_first
from tests.cast import a_person, fill_cart, list_people, make_cart, make_event
from tests.conftest import Clock

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


# Currency, price, deposit (amount or percent), what is paid first and what later. 30 % of 594.00 is 178.20.
DIVIDED: list[tuple[str, int, dict[str, int], tuple[int, int] | None]]
DIVIDED = [
    ("USD", 92000, {"amount": 15000}, (15000, 77000)),
    ("USD", 59400, {"percent": 30}, (17820, 41580)),
    ("USD", 1001, {"percent": 33}, (331, 670)),  # 3.3033 is 3.31: up to a cent
    ("USD", 15000, {"amount": 15000}, None),  # nothing is left for later
    ("USD", 0, {"amount": 15000}, None),
    ("JPY", 98001, {"percent": 25}, (24501, 73500)),  # 24500.25 yen is 24501
    ("KWD", 285550, {"percent": 25}, (71390, 214160)),  # 71.3875 is 71.390: the last digit is 0
]


@pytest.mark.once
@pytest.mark.parametrize(("currency", "price", "down", "want"), DIVIDED)
def test_a_deposit_and_its_rest(
    currency: str, price: int, down: dict[str, int], want: tuple[int, int] | None
) -> None:
    unit = 10 if currency == "KWD" else 1
    starts = NOW + 100 * DAY
    made = split(read({"down": down}), price, starts_at=starts, zone="UTC", now=NOW, unit=unit)
    assert (made and (made.first, price - made.first)) == want


# ---- the same through the whole product


@dataclass(frozen=True)
class Case:
    """What somebody takes, and what it comes to: the `lines` of the price, what one `pays`, and `first` of it."""

    type: str
    lines: list[int]
    pays: int
    first: int
    currency: str = "USD"
    days: int = 0  # so long after the sale began; early prices last for ten days
    before: int = 0  # so many have taken an early place, of which there are two
    code: dict[str, Any] | None = None
    options: tuple[str, ...] = ()
    award: int = 0
    down: dict[str, Any] | None = None
    invoice: bool = False


TYPES = {
    "USD": {"Standard": (92000, 99000), "Trainee": (66000, 71000)},
    "JPY": {"Standard": (98001, 110000), "Trainee": (70000, 77000)},
    "KWD": {"Standard": (285550, 300000), "Trainee": (200000, 215000)},
}
ROOM = {"USD": 24000, "JPY": 26000, "KWD": 74000}
DINNER = {"USD": 3200, "JPY": 5500, "KWD": 12500}
CASES_WHOLE = [
    Case("Standard", [92000], 92000, 92000),
    Case("Standard", [99000], 99000, 99000, days=11),  # the early date is over
    Case("Standard", [99000], 99000, 99000, before=2),  # the two early places are gone
    Case("Trainee", [66000], 66000, 66000, before=1),
    # 10 % of 660.00 is 66.00; dinner and room are not lowered.
    Case("Trainee", [66000, 24000, 3200, -6600], 86600, 86600,
         code={"percent": 1000}, options=("Single", "Dinner")),
    # 8 % of 990.00 is 79.20; 150.00 first, so 760.80 later.
    Case("Standard", [99000, -7920], 91080, 15000, days=11, code={"percent": 800},
         down={"amount": 15000}),
    # Help of 500.00 comes off last; of 920.00 - 92.00 + 32.00 = 860.00 it leaves 360.00, which an invoice asks for.
    Case("Standard", [92000, 3200, -9200, -50000], 36000, 36000, code={"percent": 1000},
         options=("Dinner",), award=50000, invoice=True),
    # All of it is an award: nothing to pay.
    Case("Trainee", [66000, -66000], 0, 0, award=66000),
    # A deposit is asked for, but an employer pays by invoice: over the whole price.
    Case("Standard", [92000, 24000], 116000, 116000, options=("Single",),
         down={"amount": 15000}, invoice=True),
    # A room belongs to what the rest is of: 920.00 + 240.00, 150.00 first.
    Case("Standard", [92000, 24000], 116000, 15000, options=("Single",), down={"amount": 15000}),
    # Yen are whole: 15 % of 98001 is 14700.15.
    Case("Standard", [98001, 5500, -14700], 88801, 88801, "JPY", code={"percent": 1500},
         options=("Dinner",)),
    Case("Standard", [110000, -40000], 70000, 70000, "JPY", days=11, award=40000, invoice=True),
    # Three decimals, the last one 0: 10 % of 285.550 is 28.560; 25 % of 285.550 is 71.390 at first.
    Case("Standard", [285550, 12500, -28560], 269490, 71390, "KWD", code={"percent": 1000},
         options=("Dinner",), down={"percent": 25}),
    Case("Trainee", [215000, 74000, -25000, -100000], 164000, 164000, "KWD", days=11,
         code={"amount": 25000, "percent": None, "currency": "KWD"}, options=("Single",),
         award=100000, invoice=True),
]  # fmt: skip


def open_sale(case: Case, now: datetime) -> Event:
    """Make the event of a case: both tiers, early prices by date and for the first two, options, deposit, code."""
    event = make_event(
        types=TYPES[case.currency], currency=case.currency, early_until=now + 10 * DAY,
        early_places=2, invoices=InvoiceTerms.CONFIRMED, invoice_days=30,
    )  # fmt: skip
    with transaction():
        product_db.session.get_one(TicketType, event.ticket_types[1].id).proof = Proof.TRAINEE
        plans = [
            OptionPlan(name="Single", kind=OptionKind.ROOM, price=ROOM[case.currency], size=2),
            OptionPlan(name="Dinner", kind=OptionKind.MEAL, price=DINNER[case.currency]),
        ]
        set_options(event.id, plans, version=None, actor=SYSTEM, now=now)
        if case.down:
            rules = read({"down": {**case.down, "rest": {"days": 30}}})
            policy = policies.save_version("D", rules, before=None, actor=SYSTEM, now=now)
            product_db.session.get_one(Event, event.id).policy = policy
        if case.code:
            plan = Plan(**{"code": "HAND", "event_ids": [event.id], **case.code})
            make_code(plan, scope=None, actor=SYSTEM, now=now)
    for n in range(case.before):
        fill_cart(make_cart(event), [a_person(f"Early Bird{n}")])
    return event


def take(case: Case, event: Event, now: datetime) -> Order:
    """Take the place of a case, up to the payment."""
    order = fill_cart(make_cart(event, quantities={case.type: 1}))
    (r,) = list_people(order)
    ids = {o.name: o.id for o in list_options([event.id])}
    with transaction():
        services.choose_options(
            order.id, {r.id: {ids[n]: "" for n in case.options}},
            words={r.id: "Riverbend"}, actor=ANONYMOUS, now=now,
        )  # fmt: skip
    if case.code:
        with transaction():
            services.apply_code(order.id, "HAND", actor=ANONYMOUS, now=now)
    with transaction():
        services.place(order.id, now=now)
    if case.award:
        with transaction():
            until = now + 7 * DAY
            services.adjust_price(order.id, r.id, case.award, until=until, actor=SYSTEM, now=now)
    return order


@pytest.mark.once
@pytest.mark.parametrize("case", CASES_WHOLE)
def test_a_place_costs_what_was_worked_out_by_hand(db: Any, clock: Clock, case: Case) -> None:
    event = open_sale(case, clock.now)
    clock.move(days=case.days)
    order = take(case, event, clock.now)
    assert [line.amount for line in queries.list_lines(order.id)] == case.lines
    assert all(line.reason for line in queries.list_lines(order.id))
    balance = queries.due(order.id)
    assert balance.due == case.pays
    if case.invoice:
        to = Addressee("Copperline Clinic", "1 Main Street")
        with transaction():
            billing.ask_for_invoice(
                order.id, to, email="ap@example.org", actor=SYSTEM, now=clock.now
            )
        (paper,) = product_db.session.query(Document).all()
        assert (paper.total, paper.currency) == (case.pays, case.currency)
    fresh = queries.get_order(order.id)
    assert due_first(fresh, queries.due(order.id), now=clock.now) == case.first
