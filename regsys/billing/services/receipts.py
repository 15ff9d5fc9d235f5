"""Papers for money that moved: a receipt when it came, a credit note when it went back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from regsys.billing import mail, paper, rules
from regsys.billing.paper import Addressee, Row, Sheet
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import Refused
from regsys.ledger import queries as ledger
from regsys.ledger import services as issuing
from regsys.ledger.kinds import DocumentKind
from regsys.ledger.models import Document, Payment, Refund
from regsys.ledger.services import Paper, PaperLine
from regsys.ledger.states import Problem, RefundState
from regsys.registration import queries as registrations
from regsys.registration.models import Order, OrderLine
from regsys.web.html import day
from regsys.web.urls import settings


@dataclass
class Desk:
    """An order with its money and what was written about it so far."""

    order: Order
    lines: Sequence[OrderLine]
    payments: Sequence[Payment]
    documents: list[Document]
    now: datetime

    @property
    def zone(self) -> str:
        return settings().TIME_ZONE

    @property
    def to(self) -> Addressee:
        """Return to whom papers of this order go: as the newest one says, or the payer."""
        newest = self.documents[-1] if self.documents else None
        return addressee(newest) if newest else Addressee(self.order.payer_name)

    def by_cause(self, cause: str) -> Document | None:
        """Find the document of a cause."""
        return next((d for d in self.documents if d.cause == cause), None)

    def is_void(self, document: Document) -> bool:
        """Tell whether a document was taken back as a whole."""
        return self.by_cause(f"void:{document.id}") is not None

    def receipt_of(self, payment: Payment) -> Document | None:
        """Find the receipt of a payment that stands: the newest, where it was made out anew."""
        found = self.by_cause(f"payment:{payment.id}")
        while found:
            again = self.by_cause(f"again:{found.id}")
            if again is None:
                return found
            found = again
        return None

    @property
    def said(self) -> int:
        """Return how much of the money that came has been written about, less what went back (minor units)."""
        said = 0
        invoices = {d.id for d in self.documents if d.kind is DocumentKind.INVOICE}
        for d in self.documents:
            if d.kind is DocumentKind.RECEIPT:
                said += d.total
            elif d.kind is DocumentKind.CREDIT_NOTE and d.corrects_id not in invoices:
                said -= d.total
        return said

    @property
    def through_line(self) -> int:
        return max((line.id for line in self.lines), default=0)

    def issue(self, written: Paper) -> Document:
        """Give a paper its number."""
        made = issuing.issue(written, zone=self.zone, actor=SYSTEM, now=self.now)
        self.documents.append(made)
        return made


def open_desk(order_id: int, *, now: datetime) -> Desk:
    """Lock an order and read its money and papers afresh."""
    lock_rows(Order, [order_id])
    db.session.expire_all()
    return Desk(
        registrations.get_order(order_id),
        registrations.list_lines(order_id),
        ledger.payments_of([order_id]),
        ledger.documents_of([order_id]),
        now,
    )


def write_receipts(order_id: int, *, now: datetime) -> list[int]:
    """Write what is missing about an order's money: receipts and credit notes; return their ids.

    Locks the order; doing it again writes nothing.
    """
    desk = open_desk(order_id, now=now)
    made = []
    for payment in desk.payments:
        made += [d for d in _write_about(desk, payment) if d]
    return [d.id for d in made]


def _write_about(desk: Desk, payment: Payment) -> list[Document | None]:
    known = desk.receipt_of(payment)
    if payment.problem is Problem.MISTAKE:
        return [void(desk, known)] if known and not desk.is_void(known) else []
    if payment.problem is not None:
        return []
    made = [None if known else _receipt(desk, payment)]
    for refund in payment.refunds:
        cause = f"refund:{refund.id}"
        note = desk.by_cause(cause)
        if refund.state is RefundState.SUCCEEDED and note is None:
            made.append(_credit(desk, refund, desk.receipt_of(payment)))
        elif refund.state is RefundState.FAILED and note:
            made.append(_came_back(desk, note, refund))
    return made


def _receipt(desk: Desk, payment: Payment) -> Document:
    rows = paper.rows_of(desk.order, desk.lines)
    total, before = sum(row.amount for row in rows), desk.said
    rest = total - before - payment.amount
    sums = [(_("In all"), total, False)] if len(rows) > 1 or total != payment.amount else []
    settled = []
    if before:
        sums.append((_("Paid before"), -before, False))
        settled.append(PaperLine(_("Paid before"), -before, of_price=False))
    if rest:
        words = _("Still to pay") if rest > 0 else _("Paid above the price")
        sums.append((words, abs(rest), False))
        settled.append(PaperLine(words, -rest, of_price=False))
    method = paper.how(payment.method)
    sums.append((_("Received %(how)s", how=method), payment.amount, True))
    facts = [
        (_("Order"), desk.order.code),
        (_("Received"), _("%(day)s, %(how)s", day=day(payment.received_at, desk.zone), how=method)),
    ]
    sheet = Sheet(
        DocumentKind.RECEIPT, payment.currency, desk.to, facts, rows, sums,
        note=_("Thank you. Nothing needs to be done with this paper; keep it for your records."),
        stamp="" if rest > 0 else _("Paid in full"),
    )  # fmt: skip
    return desk.issue(
        written(desk, sheet, f"payment:{payment.id}", [*paper.price_lines(rows), *settled])
    )


def written(
    desk: Desk,
    sheet: Sheet,
    cause: str,
    lines: Sequence[PaperLine],
    *,
    corrects: Document | None = None,
) -> Paper:
    """Return a paper ready for its number."""
    return Paper(
        kind=sheet.kind,
        order_id=desk.order.id,
        cause=cause,
        currency=sheet.currency,
        lines=lines,
        template=paper.TEMPLATE,
        content=paper.write(sheet, now=desk.now),
        billed_to=sheet.to.name,
        through_line=desk.through_line if any(line.of_price for line in lines) else None,
        corrects_id=corrects.id if corrects else None,
    )


def _credit(desk: Desk, refund: Refund, receipt: Document | None) -> Document:
    what = _("Given back of receipt %(number)s", number=receipt.name if receipt else "")
    person = next((r for r in desk.order.registrations if r.id == refund.registration_id), None)
    row = Row(
        what, person.name if person else _("Order %(code)s", code=desk.order.code), refund.amount
    )
    facts = [
        (_("Order"), desk.order.code),
        (_("Given back"), f"{day(refund.requested_at, desk.zone)}, {paper.how(refund.method)}"),
    ]
    sums = [(_("Given back"), refund.amount, True)]
    sheet = Sheet(DocumentKind.CREDIT_NOTE, refund.currency, desk.to, facts, [row], sums)
    line = PaperLine(what, refund.amount, of_price=False)
    return desk.issue(written(desk, sheet, f"refund:{refund.id}", [line], corrects=receipt))


def _came_back(desk: Desk, note: Document, refund: Refund) -> Document | None:
    """Write anew that the society has the money, after a refund that a credit note told of did not arrive."""
    cause = f"refund-failed:{refund.id}"
    if desk.by_cause(cause):
        return None
    what = _("Credit note %(number)s is void: this money did not go back", number=note.name)
    row = Row(what, _("Order %(code)s", code=desk.order.code), refund.amount)
    sums = [(_("Received"), refund.amount, True)]
    facts = [(_("Order"), desk.order.code)]
    sheet = Sheet(DocumentKind.RECEIPT, refund.currency, desk.to, facts, [row], sums)
    line = PaperLine(what, refund.amount, of_price=False)
    return desk.issue(written(desk, sheet, cause, [line], corrects=note))


def void(desk: Desk, known: Document, *, note: str = "") -> Document:
    """Take a document back as a whole by a credit note to the same name and address."""
    what = _("%(kind)s %(number)s is void", kind=known.content["kind"], number=known.name)
    row = Row(what, _("Issued %(day)s", day=day(known.issued_at, desk.zone)), known.total)
    facts = [(_("Order"), desk.order.code)]
    sums = [(_("Credited"), known.total, True)]
    sheet = Sheet(
        DocumentKind.CREDIT_NOTE, known.currency, addressee(known), facts, [row], sums,
        note=note or _("What it asked for or confirmed no longer holds."),
    )  # fmt: skip
    line = PaperLine(what, known.total, of_price=False)
    return desk.issue(written(desk, sheet, f"void:{known.id}", [line], corrects=known))


def make_out_anew(document_id: int, to: Addressee, *, now: datetime) -> Document:
    """Take a receipt back by a credit note and write it again to another name and address; return the new one.

    Locks the order. Raises Refused where it was taken back already, or is no receipt.
    """
    desk = open_desk(ledger.get_document(document_id).order_id, now=now)
    known = next(d for d in desk.documents if d.id == document_id)
    times = sum(d.cause.startswith("again:") for d in desk.documents)
    refusal = rules.why_not_anew(known.kind, void=desk.is_void(known), times=times)
    if refusal:
        raise Refused(refusal)
    note = void(desk, known, note=_("It is made out anew to another name and address."))
    return again(desk, known, to, note)


def again(desk: Desk, known: Document, to: Addressee, note: Document) -> Document:
    """Write a document once more with the same amounts, after a credit note took it back."""
    content = dict(known.content)
    date, *facts = content["facts"]
    content |= {
        "made": desk.now.date().isoformat(),
        "to": {**content["to"], "lines": to.lines},
        "facts": [
            [date[0], day(desk.now, desk.zone)],
            *facts,
            [_("Takes the place of"), known.name],
        ],
    }
    return desk.issue(
        Paper(
            kind=known.kind,
            order_id=known.order_id,
            cause=f"again:{known.id}",
            currency=known.currency,
            lines=[PaperLine(one.what, one.amount, one.of_price) for one in known.lines],
            template=known.template,
            content=content,
            billed_to=to.name,
            through_line=known.through_line,
            corrects_id=note.id,
        )
    )


def addressee(document: Document) -> Addressee:
    """Return to whom a document is made out."""
    return Addressee.of(document.content["to"]["lines"])


def tell(order_id: int, document_ids: Sequence[int], *, now: datetime) -> None:
    """Write to the payer about receipts that were just made."""
    receipts = [
        d
        for d in ledger.documents_of([order_id])
        if d.id in document_ids and d.kind is DocumentKind.RECEIPT
    ]
    order = registrations.get_order(order_id)
    for receipt in receipts:
        mail.send_receipt(order, receipt, now=now)
