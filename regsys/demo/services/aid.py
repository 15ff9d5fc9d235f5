"""The fund of the demo: one request was awarded and used, one waits."""

from typing import Any

from sqlalchemy import func, select, update

from regsys.aid.models import AidRequest, Fund
from regsys.aid.states import RequestState
from regsys.demo.services.calendar import Calendar
from regsys.demo.services.programme import Programme
from regsys.kernel.db import db
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from regsys.registration.states import RegistrationState

Rows = dict[str, Any]
WORDS = "I work in a clinic two hours from the next town and pay for courses myself."
WAITS = "We are three for a whole valley. With half of the fee I could close for these days."


def load_aid(
    data: Rows,
    programme: Programme,
    registrations: dict[str, Registration],
    calendar: Calendar,
) -> None:
    """Load the funds with their requests; what a line says of an award is what it always says."""
    now = calendar.loaded_at
    quiet = update(OrderLine).where(OrderLine.kind == LineKind.AWARD)
    db.session.execute(quiet.values(reason="Adjusted by the society."))
    for row in data["organisation"]["awards"]:
        fund = Fund(name=row["name"], budget=row["budget"], currency="USD", created_at=now)
        db.session.add(fund)
        db.session.flush()
        for order in data["orders"]:
            for line in order["lines"]:
                if line["kind"] == "award" and line["fund"] == row["id"]:
                    _used(fund, registrations[line["registration"]], -line["amount"])
        _waiting(fund, calendar)
    db.session.flush()


def _used(fund: Fund, r: Registration, amount: int) -> None:
    at = r.confirmed_at or r.created_at
    db.session.add(
        AidRequest(
            fund_id=fund.id, registration_id=r.id, state=RequestState.USED, state_at=at,
            created_at=r.created_at, words=WORDS, amount=amount, fee=r.price + amount,
            answer_by=at, decided_by="Ottoline Fairweather",
        )
    )  # fmt: skip


def _waiting(fund: Fund, calendar: Calendar) -> None:
    """Let the first person who has not paid yet ask."""
    alone = select(Registration.order_id).group_by(Registration.order_id)
    alone = alone.having(func.count() == 1)
    query = (
        select(Registration)
        .join(Order)
        .where(Registration.state == RegistrationState.AWAITING_PAYMENT, Registration.price > 0)
        .where(Registration.is_payer, Registration.order_id.in_(alone))
        .where(Order.currency == fund.currency)
        .order_by(Registration.id)
    )
    r = db.session.scalars(query.limit(1)).first()
    if r is None:
        return
    db.session.add(
        AidRequest(
            fund_id=fund.id, registration_id=r.id, state_at=calendar.loaded_at,
            created_at=calendar.loaded_at, words=WAITS, asked_amount=r.price // 2, fee=r.price,
            answer_by=r.event.starts_at, decided_by="",
        )
    )  # fmt: skip
