"""Reading the credits that people have: of what they were made, and what of them is used and left."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from regsys.discounts.models import Code
from regsys.kernel.db import db
from regsys.registration.models import Registration
from regsys.registration.states import RegistrationState as S
from regsys.web.html import Page

PAGE_SIZE = 50
BATCH = 500


class Standing(StrEnum):
    """How a credit stands: derived, never stored."""

    OPEN = "open"
    USED_UP = "used_up"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True)
class CreditRow:
    """A credit, the place that was given up for it (with its event), and what of it is used, in minor units."""

    code: Code
    registration: Registration
    used: int
    standing: Standing

    @property
    def given(self) -> int:
        return self.code.amount or 0

    @property
    def left(self) -> int:
        return self.given - self.used


@dataclass(frozen=True)
class Sums:
    """Credits of one currency in minor units: given is what is used, left, expired and ended together."""

    currency: str
    count: int
    given: int
    used: int
    left: int
    expired: int
    ended: int


def _used() -> ColumnElement[int]:
    place = aliased(Registration)
    mine = (place.code_id == Code.id, place.state != S.EXPIRED)
    sums = select(func.coalesce(func.sum(place.credit_used), 0)).where(*mine)
    return sums.scalar_subquery()


def _standing(used: ColumnElement[int], now: datetime) -> ColumnElement[str]:
    """Say how a credit stands; one that is used up stays so, whatever happens later."""
    return case(
        (used >= Code.amount, Standing.USED_UP.value),
        (Code.ended_at.is_not(None), Standing.ENDED.value),
        (Code.ends_at <= now, Standing.EXPIRED.value),
        else_=Standing.OPEN.value,
    )


def _query(now: datetime, *, every: bool, words: str) -> Select[Code, Registration, int, str]:
    used = _used()
    query = (
        select(Code, Registration, used, _standing(used, now))
        .join(Registration, Registration.credit_id == Code.id)
        .options(joinedload(Registration.event))
    )
    if not every:
        query = query.where(Code.ended_at.is_(None), Code.ends_at > now, used < Code.amount)
    for word in words.split():
        columns = (Code.code, Registration.first_name, Registration.last_name, Registration.email)
        query = query.where(or_(*(c.icontains(word, autoescape=True) for c in columns)))
    return query


def list_credits(*, every: bool, words: str, number: int, now: datetime) -> Page[CreditRow]:
    """List one page of the credits that count (or `every` one), what ends first at the top."""
    query = _query(now, every=every, words=words)
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    query = query.order_by(Code.ends_at, Code.id).limit(PAGE_SIZE)
    found = db.session.execute(query.offset(Page.offset_of(number, PAGE_SIZE)))
    return Page(_rows(found), number, PAGE_SIZE, total)


def _rows(found: Any) -> list[CreditRow]:
    return [CreditRow(code, r, int(used), Standing(how)) for code, r, used, how in found]


def sum_credits(*, now: datetime) -> Sequence[Sums]:
    """Add up all credits by currency, in one query."""
    used = _used()
    each = (
        select(
            Code.currency.label("currency"),
            Code.amount.label("given"),
            used.label("used"),
            _standing(used, now).label("standing"),
        )
        .where(Code.email_key.is_not(None))
        .subquery()
    ).c
    rest = each.given - each.used

    def of(standing: Standing) -> ColumnElement[int]:
        return func.sum(case((and_(each.standing == standing.value), rest), else_=0))

    columns = (each.currency, func.count(), func.sum(each.given), func.sum(each.used))
    kinds = (of(Standing.OPEN), of(Standing.EXPIRED), of(Standing.ENDED))
    query = select(*columns, *kinds).group_by(each.currency).order_by(each.currency)
    return [Sums(currency, *map(int, sums)) for currency, *sums in db.session.execute(query)]


def count_credits() -> int:
    """Count all credits."""
    return db.session.scalar(select(func.count()).where(Code.email_key.is_not(None))) or 0


def stream_credits(*, now: datetime) -> Iterator[list[CreditRow]]:
    """Yield all credits in batches; ends the read transaction after each."""
    last = 0
    while True:
        query = _query(now, every=True, words="").where(Code.id > last).order_by(Code.id)
        rows = _rows(db.session.execute(query.limit(BATCH)))
        if not rows:
            return
        last = rows[-1].code.id
        yield rows
        db.session.expunge_all()
        db.session.rollback()
