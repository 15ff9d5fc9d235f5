"""Reading papers and open invoices, always with a constant number of queries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload, selectinload

from regsys.billing import rules
from regsys.billing.models import Invoice
from regsys.billing.rules import Age
from regsys.billing.states import InvoiceState
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.kernel.tokens import hash_token
from regsys.ledger import queries as ledger
from regsys.ledger.kinds import DocumentKind, read_document_name
from regsys.ledger.models import Document, DocumentLine, Payment, Refund
from regsys.ledger.rules import COUNTED, Balance
from regsys.ledger.states import RefundState
from regsys.payments.queries import Scope, all_in
from regsys.registration.models import Order, OrderLine, Registration
from regsys.registration.queries import balances_of
from regsys.registration.states import LIVE
from regsys.web.html import Page

PAGE_SIZE = 50
BATCH = 500
# Money that moved longer ago gets its paper when somebody asks for it: an upgrade must not write years of letters.
LOOK_BACK = timedelta(days=14)


def _written(prefix: str, row_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    cause = literal(f"{prefix}:") + cast(row_id, String)
    return exists().where(Document.cause == cause)


def list_orders_to_write_about(*, now: datetime) -> list[int]:
    """List orders with money that came or went lately and has no paper yet."""
    since = now - LOOK_BACK
    noted = func.coalesce(Payment.noted_at, Payment.received_at)
    came = select(Payment.order_id).where(
        noted > since, Payment.problem.is_(None), ~_written("payment", Payment.id)
    )
    moved = (
        select(Payment.order_id)
        .join(Refund)
        .where(Refund.state_at > since, Payment.problem.is_(None))
    )
    gone = moved.where(Refund.state == RefundState.SUCCEEDED, ~_written("refund", Refund.id))
    failed = moved.where(
        Refund.state == RefundState.FAILED,
        _written("refund", Refund.id),
        ~_written("refund-failed", Refund.id),
    )
    return sorted(db.session.scalars(union(came, gone, failed)))


def get_document_of(order_id: int, document_id: int) -> Document:
    """Get a document of this order; raise NotFound, also where it belongs to another."""
    document = ledger.get_document(document_id)
    if document.order_id != order_id:
        raise NotFound(N_("There is no such document."))
    return document


def get_receipt_of(order_id: int) -> Document:
    """Get the newest receipt of an order that was not taken back; raise NotFound."""
    documents = ledger.documents_of([order_id])
    void = ledger.corrected_ids(documents)
    standing = [d for d in documents if d.kind is DocumentKind.RECEIPT and d.id not in void]
    if not standing:
        raise NotFound(N_("There is no receipt yet."))
    return standing[-1]


# ---- for organizers


@dataclass(frozen=True)
class PaperRow:
    """A document, the code of its order, and whether it was taken back as a whole."""

    document: Document
    order_code: str
    void: bool


def _papers(scope: Scope) -> Select[Document, str, bool]:
    note = aliased(Document)
    void = exists().where(note.cause == literal("void:") + cast(Document.id, String))
    query = select(Document, Order.code, void).join(Order, Order.id == Document.order_id)
    return query.where(all_in(scope))


def list_papers(
    scope: Scope, *, kind: DocumentKind | None, words: str, number: int
) -> Page[PaperRow]:
    """List documents, the newest first, by kind and by what number, name or order code hold."""
    query = _papers(scope)
    if kind:
        query = query.where(Document.kind == kind)
    if words:
        query = query.where(_names(words))
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = db.session.execute(
        query.order_by(Document.id.desc())
        .limit(PAGE_SIZE)
        .offset(Page.offset_of(number, PAGE_SIZE))
    )
    return Page([PaperRow(d, code, bool(void)) for d, code, void in rows], number, PAGE_SIZE, total)


def _names(words: str) -> ColumnElement[bool]:
    like = f"%{words.replace('%', '')}%"
    found = or_(Document.billed_to.ilike(like), Order.code.ilike(like))
    known = read_document_name(words)
    if known:
        kind, year, n = known
        same = and_(Document.kind == kind, Document.year == year, Document.number == n)
        return or_(found, same)
    return found


def get_paper(document_id: int, scope: Scope) -> PaperRow:
    """Get a document whose order lies in the scope; raise NotFound."""
    row = db.session.execute(_papers(scope).where(Document.id == document_id)).one_or_none()
    if row is None:
        raise NotFound(N_("There is no such document."))
    return PaperRow(row[0], row[1], bool(row[2]))


def stream_papers() -> Iterator[list[PaperRow]]:
    """Yield all documents in batches; ends the read transaction after each."""
    last = 0
    while True:
        query = _papers(None).where(Document.id > last).order_by(Document.id).limit(BATCH)
        rows = [PaperRow(d, code, bool(void)) for d, code, void in db.session.execute(query)]
        if not rows:
            return
        last = rows[-1].document.id
        yield rows
        db.session.expunge_all()
        db.session.rollback()


def count_papers() -> int:
    """Count all documents."""
    return db.session.scalar(select(func.count(Document.id))) or 0


# ---- invoices


def find_open_invoice(order_id: int) -> Invoice | None:
    """Find the invoice of an order that was not paid, taken back or written off."""
    mine = (Invoice.order_id == order_id, Invoice.state == InvoiceState.OPEN)
    return db.session.scalar(select(Invoice).where(*mine))


def find_newest_invoice(order_id: int) -> Invoice | None:
    """Find the newest invoice of an order, however it stands."""
    query = select(Invoice).where(Invoice.order_id == order_id).order_by(Invoice.id.desc())
    return db.session.scalar(query.limit(1))


def owes_invoice(order_id: int) -> bool:
    """Tell whether an order has an invoice of which something is open: until then it gets no other."""
    query = select(Invoice.id).where(Invoice.order_id == order_id)
    found = query.where(Invoice.state == InvoiceState.OPEN, _is_owed())
    return db.session.scalar(found) is not None


def list_paid_of(order_id: int) -> list[Invoice]:
    """List the invoices of an order that are paid, the newest first."""
    mine = (Invoice.order_id == order_id, Invoice.state == InvoiceState.PAID)
    return list(db.session.scalars(select(Invoice).where(*mine).order_by(Invoice.id.desc())))


def order_of_invoice(invoice_id: int) -> int:
    """Return the order of an invoice; raise NotFound."""
    order_id = db.session.scalar(select(Invoice.order_id).where(Invoice.id == invoice_id))
    if order_id is None:
        raise NotFound(N_("There is no such invoice."))
    return order_id


@dataclass(frozen=True)
class InvoiceRow:
    """An invoice with its paper and order: what is `owed` of it, how its order stands, and its last day in time."""

    invoice: Invoice
    balance: Balance
    day: date
    late: int

    @property
    def claimed(self) -> rules.Claimed:
        return claimed(self.invoice.document, self.balance)

    @property
    def standing(self) -> rules.Standing:
        return rules.standing(self.invoice.state, self.claimed)

    @property
    def owed(self) -> int:
        return self.claimed.owed if self.invoice.state is InvoiceState.OPEN else 0

    @property
    def received(self) -> int:
        return self.claimed.received

    @property
    def changed(self) -> bool:
        """Tell whether the order does not cost, or owe, what the invoice says any more."""
        differs = self.balance.total != self.claimed.price or self.balance.due != self.owed
        return self.owed > 0 and differs

    @property
    def age(self) -> Age:
        return rules.age_of(self.late)


def claimed(document: Document, balance: Balance) -> rules.Claimed:
    """Return what an invoice asks for, and how its order stands."""
    price = sum(one.amount for one in document.lines if one.of_price)
    return rules.Claimed(price, price - document.total, balance.total, balance.net)


PEOPLE = (joinedload(Registration.event), joinedload(Registration.ticket_type))
WITH_PAPER_ORDER = (selectinload(Order.registrations).options(*PEOPLE),)
WITH_PAPER = (
    joinedload(Invoice.document).selectinload(Document.lines),
    joinedload(Invoice.order).selectinload(Order.registrations).options(*PEOPLE),
)


def _rows(query: Select[Invoice], *, zone: str, now: datetime) -> list[InvoiceRow]:
    found = list(db.session.scalars(query.options(*WITH_PAPER)))
    balances = balances_of([i.order_id for i in found]) if found else {}
    return [
        InvoiceRow(
            i,
            balances[i.order_id],
            rules.due_day(i.due_at, zone),
            rules.days_late(i.due_at, now, zone),
        )
        for i in found
    ]


def _is_owed() -> ColumnElement[bool]:
    """Say that something of an invoice is open, as `rules.Claimed.owed` does."""
    cost, net, price, before = _claimed()
    return and_(cost > net, price > net, cost > before)


def _claimed() -> tuple[ColumnElement[int], ...]:
    """Return what an invoice's order costs, what of it is paid, and what the paper says of both."""
    cost = _sum(OrderLine.amount).where(OrderLine.order_id == Invoice.order_id)
    sound = (Payment.order_id == Invoice.order_id, Payment.problem.is_(None))
    came = _sum(Payment.amount).where(*sound)
    gone = _sum(Refund.amount).join(Payment, Payment.id == Refund.payment_id)
    gone = gone.where(*sound, Refund.state.in_(COUNTED))
    mine = DocumentLine.document_id == Invoice.document_id
    price = _sum(DocumentLine.amount).where(mine, DocumentLine.of_price)
    before = -_sum(DocumentLine.amount).where(mine, ~DocumentLine.of_price).scalar_subquery()
    net = came.scalar_subquery() - gone.scalar_subquery()
    return cost.scalar_subquery(), net, price.scalar_subquery(), before


def _sum(column: InstrumentedAttribute[int]) -> Select[int]:
    return select(func.coalesce(func.sum(column), 0))


def list_open_invoices(scope: Scope, *, zone: str, now: datetime) -> list[InvoiceRow]:
    """List invoices of which something is open, the oldest due first."""
    query = (
        select(Invoice)
        .join(Order, Order.id == Invoice.order_id)
        .where(Invoice.state == InvoiceState.OPEN, _is_owed(), all_in(scope))
        .order_by(Invoice.due_at, Invoice.id)
    )
    return _rows(query, zone=zone, now=now)


def list_closed_invoices(scope: Scope, *, zone: str, now: datetime) -> list[InvoiceRow]:
    """List the newest invoices of which nothing is open, at most 50."""
    query = (
        select(Invoice)
        .join(Order, Order.id == Invoice.order_id)
        .where(or_(Invoice.state != InvoiceState.OPEN, ~_is_owed()), all_in(scope))
        .order_by(Invoice.id.desc())
        .limit(PAGE_SIZE)
    )
    return _rows(query, zone=zone, now=now)


def get_invoice(invoice_id: int, scope: Scope, *, zone: str, now: datetime) -> InvoiceRow:
    """Get an invoice whose order lies in the scope; raise NotFound."""
    query = select(Invoice).join(Order, Order.id == Invoice.order_id)
    rows = _rows(query.where(Invoice.id == invoice_id, all_in(scope)), zone=zone, now=now)
    if not rows:
        raise NotFound(N_("There is no such invoice."))
    return rows[0]


def get_invoice_by_token(token: str, *, zone: str, now: datetime) -> InvoiceRow:
    """Get an invoice by the secret of its link; raise NotFound."""
    query = select(Invoice).where(Invoice.token_hash == hash_token(token))
    rows = _rows(query, zone=zone, now=now)
    if not rows:
        raise NotFound(N_("There is no such invoice."))
    return rows[0]


def invoices_of(order_id: int, *, zone: str, now: datetime) -> list[InvoiceRow]:
    """List the invoices of an order, the oldest first."""
    query = select(Invoice).where(Invoice.order_id == order_id).order_by(Invoice.id)
    return _rows(query, zone=zone, now=now)


def list_to_remind(*, now: datetime) -> list[int]:
    """List open invoices that may have a reminder to come: due within a week, or past it, and something is owed."""
    soon = now - rules.REMINDERS[0]
    query = select(Invoice.id).where(Invoice.state == InvoiceState.OPEN, Invoice.due_at <= soon)
    reminded = Invoice.reminded < len(rules.REMINDERS)
    return list(db.session.scalars(query.where(reminded, _is_owed()).order_by(Invoice.id)))


def list_paid() -> list[int]:
    """List open invoices of which nothing is open any more, because it was paid."""
    _cost, net, _price, before = _claimed()
    query = select(Invoice.id).where(Invoice.state == InvoiceState.OPEN, ~_is_owed(), net > before)
    return list(db.session.scalars(query.order_by(Invoice.id)))


def list_without_people() -> list[int]:
    """List open invoices of orders in which nobody has, or waits for, a place any more."""
    live = exists().where(Registration.order_id == Invoice.order_id, Registration.state.in_(LIVE))
    query = select(Invoice.id).where(Invoice.state == InvoiceState.OPEN, ~live)
    return list(db.session.scalars(query.order_by(Invoice.id)))


@dataclass(frozen=True)
class Account:
    """An order and the money that came for it: what somebody sees who writes a cheque down."""

    order: Order
    balance: Balance
    payments: Sequence[Payment]

    @property
    def seen(self) -> int:
        """Return the newest payment: it tells whether money came meanwhile."""
        return max((p.id for p in self.payments), default=0)


def get_account(order_id: int, scope: Scope) -> Account:
    """Get a placed order in the scope with its money; raise NotFound."""
    query = select(Order).where(Order.id == order_id, Order.placed_at.is_not(None), all_in(scope))
    order = db.session.scalar(query.options(*WITH_PAPER_ORDER))
    if order is None:
        raise NotFound(N_("There is no such order."))
    return Account(order, balances_of([order_id])[order_id], ledger.payments_of([order_id]))


def get_order_of_payment(payment_id: int, scope: Scope) -> int:
    """Get the order for which money came; raise NotFound out of the scope."""
    query = select(Order.id).join(Payment, Payment.order_id == Order.id)
    order_id = db.session.scalar(query.where(Payment.id == payment_id, all_in(scope)))
    if order_id is None:
        raise NotFound(N_("There is no such payment."))
    return order_id
