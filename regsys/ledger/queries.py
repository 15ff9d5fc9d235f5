"""Reading payments and refunds, always with a constant number of queries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, joinedload, selectinload

from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.ledger import rules
from regsys.ledger.models import Dispute, Document, Payment, Refund
from regsys.ledger.states import Problem, RefundState


@dataclass(frozen=True)
class Sums:
    """What came and went for one order, in minor units."""

    paid: int = 0
    refunded: int = 0
    quarantined: int = 0
    disputed: int = 0

    def balance(self, total: int, *, processing: bool = False, deposit: int = 0) -> rules.Balance:
        """Return the balance of an order that costs `total`, of which `deposit` was asked for at first."""
        return rules.Balance(
            total, self.paid, self.refunded, self.quarantined, processing, self.disputed, deposit
        )


def payments_of(order_ids: Sequence[int]) -> list[Payment]:
    """List the payments of these orders with their refunds and disputes, oldest first."""
    query = (
        select(Payment)
        .where(Payment.order_id.in_(order_ids))
        .options(selectinload(Payment.refunds), joinedload(Payment.disputes))
        .order_by(Payment.received_at, Payment.id)
    )
    return list(db.session.scalars(query).unique())


def sums_of(order_ids: Sequence[int]) -> dict[int, Sums]:
    """Add up the money of these orders; every id has an entry."""
    return read_sums(db.session.execute(union_all(*ask_sums(order_ids))), order_ids)


def ask_sums(order_ids: Sequence[int]) -> list[Select[str, int, bool, int]]:
    """Return the parts of one question (word, order, sound, sum), for whoever asks for more with it."""
    came = select(literal("came"), Payment.order_id, _is_sound(), func.sum(Payment.amount))
    gone = select(literal("gone"), Payment.order_id, _is_sound(), func.sum(Refund.amount))
    gone = gone.join(Refund, Refund.payment_id == Payment.id).where(_counts())
    hurt = select(literal("hurt"), Payment.order_id, _is_sound(), func.sum(Dispute.amount))
    hurt = hurt.join(Dispute, Dispute.payment_id == Payment.id).where(_hurts())
    return [
        q.where(Payment.order_id.in_(order_ids), came_at_all()).group_by(
            Payment.order_id, _is_sound()
        )
        for q in (came, gone, hurt)
    ]


def sums_columns(order_id: InstrumentedAttribute[int]) -> list[ColumnElement[int]]:
    """Return the columns of which `Sums` is made, for a statement that reads orders; it agrees with `sums_of`."""
    came = select(func.coalesce(func.sum(Payment.amount), 0)).where(Payment.order_id == order_id)
    gone = select(func.coalesce(func.sum(Refund.amount), 0)).where(Payment.order_id == order_id)
    gone = gone.join(Payment, Refund.payment_id == Payment.id).where(_counts())
    hurt = select(func.coalesce(func.sum(Dispute.amount), 0)).where(Payment.order_id == order_id)
    hurt = hurt.join(Payment, Dispute.payment_id == Payment.id).where(_hurts())
    odd = [q.where(~_is_sound()).scalar_subquery() for q in (came, gone)]
    sound = [q.where(_is_sound()).scalar_subquery() for q in (came, gone, hurt)]
    return [*sound[:2], odd[0] - odd[1], sound[2]]


def read_sums(rows: Iterable[Sequence[Any]], order_ids: Sequence[int]) -> dict[int, Sums]:
    """Read the answer to `ask_sums`; every id has an entry."""
    found: dict[tuple[str, int, bool], int] = {
        (what, order, bool(sound)): int(n) for what, order, sound, n in rows
    }
    return {o: _sums(found, o) for o in order_ids}


def _sums(found: Mapping[tuple[str, int, bool], int], order_id: int) -> Sums:
    def get(what: str, *, sound: bool) -> int:
        return found.get((what, order_id, sound), 0)

    return Sums(
        get("came", sound=True),
        get("gone", sound=True),
        get("came", sound=False) - get("gone", sound=False),
        get("hurt", sound=True),
    )


def sums_in(payments: Sequence[Payment]) -> Sums:
    """Add up payments of one order that are loaded with refunds and disputes; it agrees with `sums_of`."""
    sound = [p for p in payments if p.problem is None]
    odd = [p for p in payments if p.problem not in (None, Problem.MISTAKE)]
    given = sum(p.amount - left_of(p) for p in sound)
    hurt = sum(d.amount for p in sound for d in p.disputes if d.status not in rules.HARMLESS)
    return Sums(sum(p.amount for p in sound), given, sum(left_of(p) for p in odd), hurt)


def _is_sound() -> ColumnElement[bool]:
    return Payment.problem.is_(None)


def came_at_all() -> ColumnElement[bool]:
    """Say that a payment is none that was written down by mistake."""
    return or_(Payment.problem.is_(None), Payment.problem != Problem.MISTAKE)


def _counts() -> ColumnElement[bool]:
    return Refund.state.in_(rules.COUNTED)


def _hurts() -> ColumnElement[bool]:
    return Dispute.status.not_in(rules.HARMLESS)


def get_payment(payment_id: int) -> Payment:
    """Get a payment with its refunds; raise NotFound."""
    query = select(Payment).where(Payment.id == payment_id).options(selectinload(Payment.refunds))
    payment = db.session.scalar(query)
    if payment is None:
        raise NotFound(N_("There is no such payment."))
    return payment


def left_of(payment: Payment) -> int:
    """Return how much of a payment was not given back; its refunds are loaded."""
    return rules.left_of(payment.amount, [(r.state, r.amount) for r in payment.refunds])


def is_blocked(payment: Payment) -> bool:
    """Tell whether a dispute forbids to give anything of a payment back."""
    return any(not d.refundable for d in payment.disputes)


def refundable(payment: Payment) -> int:
    """Return how much of a payment can be given back here: nothing while a dispute forbids it."""
    return 0 if is_blocked(payment) else max(0, left_of(payment))


def find_by_reference(reference: str | None, charge: str | None) -> Payment | None:
    """Find the payment that came through this intent, or by this charge."""
    same = [Payment.reference == reference] if reference else []
    same += [Payment.charge == charge] if charge else []
    return db.session.scalar(select(Payment).where(or_(*same)).limit(1)) if same else None


def list_with_problem() -> list[Payment]:
    """List payments that need a person: with a problem, and not yet back in full, oldest first.

    Money that is on its way back is among them until it has arrived.
    """
    given = (
        select(func.coalesce(func.sum(Refund.amount), 0))
        .where(Refund.payment_id == Payment.id, Refund.state == RefundState.SUCCEEDED)
        .scalar_subquery()
    )
    query = (
        select(Payment)
        .where(Payment.problem.is_not(None), came_at_all(), given < Payment.amount)
        .options(selectinload(Payment.refunds), joinedload(Payment.disputes))
        .order_by(Payment.received_at, Payment.id)
    )
    return list(db.session.scalars(query).unique())


# ---- documents


def documents_of(order_ids: Sequence[int]) -> list[Document]:
    """List the documents of these orders, the oldest first."""
    query = select(Document).where(Document.order_id.in_(order_ids)).order_by(Document.id)
    return list(db.session.scalars(query))


def get_document(document_id: int) -> Document:
    """Get a document; raise NotFound."""
    document = db.session.get(Document, document_id)
    if document is None:
        raise NotFound(N_("There is no such document."))
    return document


def corrected_ids(documents: Sequence[Document]) -> set[int]:
    """Return which of an order's documents were taken back as a whole by a later one.

    A credit note over a part leaves its receipt as it is; a new document always comes after one over the whole.
    """
    return {d.corrects_id for d in documents if d.corrects_id and d.cause.startswith("void:")}
