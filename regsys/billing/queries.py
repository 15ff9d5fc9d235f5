"""Reading papers and open invoices, always with a constant number of queries."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from sqlalchemy.orm import InstrumentedAttribute, aliased

from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.ledger import queries as ledger
from regsys.ledger.kinds import DocumentKind, read_document_name
from regsys.ledger.models import Document, Payment, Refund
from regsys.ledger.states import RefundState
from regsys.payments.queries import Scope, all_in
from regsys.registration.models import Order
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
