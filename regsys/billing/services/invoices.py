"""Invoices: asked for, sent, reminded of, made out anew, taken back, written off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from regsys.audit import services as audit
from regsys.billing import mail, paper, queries, rules
from regsys.billing.models import Invoice
from regsys.billing.paper import Addressee, Row, Sheet
from regsys.billing.services.receipts import Desk, addressee, open_desk, void, written
from regsys.billing.states import InvoiceState
from regsys.events.kinds import InvoiceTerms
from regsys.kernel import tokens
from regsys.kernel.actors import SYSTEM, Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.states import move
from regsys.ledger.kinds import DocumentKind
from regsys.ledger.models import Document
from regsys.ledger.queries import sums_in
from regsys.ledger.services import PaperLine
from regsys.registration import queries as registrations
from regsys.registration import services as registration
from regsys.registration.invoicing import invoice_offer
from regsys.registration.models import Order
from regsys.registration.states import LIVE
from regsys.registration.states import RegistrationState as S
from regsys.web.html import deadline
from regsys.web.urls import settings


@dataclass(frozen=True)
class Terms:
    """On what terms an order gets its invoice: confirmed at once or held, and until when it is to be paid."""

    terms: InvoiceTerms
    due_at: datetime
    amount: int


def terms_for(order_id: int, *, now: datetime) -> Terms:
    """Return on what terms an order can be paid by invoice now; raise Refused where it cannot."""
    held = registrations.get_held(order_id, now=now)
    offer = invoice_offer([r for r in held.order.registrations if r.state in LIVE])
    waiting = any(r.state is S.AWAITING_PAYMENT for r in held.order.registrations)
    until = rules.due_at(offer, zone=settings().TIME_ZONE, now=now) if offer else now
    due = registrations.due(order_id).due if held.order.placed_at else 0
    known = queries.find_open_invoice(order_id)
    refusal = rules.why_not_invoice(
        offer,
        due=due,
        waiting=waiting,
        holding=held.holding,
        open_one=known is not None and _owed(known) > 0,
        until=until,
        now=now,
    )
    if refusal or offer is None:
        raise Refused(refusal or rules.NOT_OFFERED)
    return Terms(offer.terms, until, due)


def ask_for_invoice(
    order_id: int, to: Addressee, *, email: str, actor: Actor, now: datetime
) -> Invoice:
    """Give an order its invoice and send it; its places are confirmed at once, or held until it is to be paid.

    What came to the order after an invoice that is paid gets the next one. Locks the order. Raises Refused where the
    order cannot be paid by invoice.
    """
    lock_rows(Order, [order_id])
    db.session.expire_all()
    terms = terms_for(order_id, now=now)
    if terms.terms is InvoiceTerms.HELD:
        if any(
            r.state is S.AWAITING_PAYMENT for r in registrations.get_order(order_id).registrations
        ):
            registration.hold_for_payer(order_id, until=terms.due_at, now=now)
    else:
        why = _("Confirmed at once: an employer pays by invoice.")
        registration.confirm_owing(order_id, actor=actor, now=now, reason=why)
    return issue_invoice(order_id, to, terms=terms, email=email, actor=actor, now=now)


def issue_invoice(
    order_id: int, to: Addressee, *, terms: Terms, email: str, actor: Actor, now: datetime
) -> Invoice:
    """Write an invoice over what an order owes, and send it; places are left as they are. Locks the order."""
    invoice = write_invoice(order_id, to, terms=terms, email=email, actor=actor, now=now)
    mail.send_invoice(invoice, now=now)
    return invoice


def write_invoice(
    order_id: int, to: Addressee, *, terms: Terms, email: str, actor: Actor, now: datetime
) -> Invoice:
    """Write an invoice over what an order owes, and send it to nobody. Locks the order."""
    desk = open_desk(order_id, now=now)
    known = queries.find_open_invoice(order_id)
    if known:
        _mark_paid(known, now=now)
    document = _write(desk, to, terms)
    token = tokens.new_token()
    invoice = Invoice(
        order_id=order_id,
        document_id=document.id,
        token=token,
        token_hash=tokens.hash_token(token),
        state=InvoiceState.OPEN,
        state_at=now,
        terms=terms.terms,
        due_at=terms.due_at,
        email=email,
        asked_at=now,
        asked_by=(actor.label or actor.kind)[:200],
        reminded=rules.reminders_passed(terms.terms, terms.due_at, now),
    )
    db.session.add(invoice)
    db.session.flush()
    _record("invoice.sent", invoice, actor=actor, now=now)
    return invoice


def _write(desk: Desk, to: Addressee, terms: Terms) -> Document:
    rows = paper.rows_of(desk.order, desk.lines)
    total = sum(row.amount for row in rows)
    paid = sums_in(desk.payments).balance(total).net
    open_ = total - paid
    until = deadline(terms.due_at, desk.zone)
    sums = [(_("In all"), total, False)] if len(rows) > 1 or paid else []
    lines = paper.price_lines(rows)
    if paid:
        sums.append((_("Paid before"), -paid, False))
        lines.append(PaperLine(_("Paid before"), -paid, of_price=False))
    sums.append((_("To pay"), open_, True))
    held = any(r.state is S.AWAITING_PAYMENT for r in desk.order.registrations)
    sheet = Sheet(
        DocumentKind.INVOICE,
        desk.order.currency,
        to,
        [(_("Order"), desk.order.code), (_("Pay by"), until)],
        rows,
        sums,
        note=_("The places are held until %(until)s, and confirmed when this is paid. After that "
               "they may go to other people.", until=until)
        if held
        else _("The places are confirmed. Thank you for paying by %(until)s.", until=until),
        pay=_ways(desk),
    )  # fmt: skip
    cause = f"invoice:{desk.order.id}:{sum(d.kind is DocumentKind.INVOICE for d in desk.documents)}"
    return desk.issue(written(desk, sheet, cause, lines))


def _ways(desk: Desk) -> list[tuple[str, Sequence[str]]]:
    """Return how an invoice can be paid; the secret link for cards is in the letter, not on the paper."""
    site = settings()
    ways: list[tuple[str, Sequence[str]]] = []
    name = _("Please name order %(code)s.", code=desk.order.code)
    if site.BANK_DETAILS:
        ways.append((_("By bank transfer"), [*site.BANK_DETAILS.splitlines(), name]))
    if site.CHEQUE_DETAILS:
        ways.append((_("By cheque"), [*site.CHEQUE_DETAILS.splitlines(), name]))
    ways.append((_("By card"), [_("Open the link in the letter that came with this invoice.")]))
    return ways


def remind(invoice_id: int, *, actor: Actor, now: datetime) -> None:
    """Send a reminder now; raise Refused where nothing is open, or one went today."""
    invoice = _lock(invoice_id)
    refusal = rules.why_not_remind(
        owed=_owed(invoice),
        open_=invoice.state is InvoiceState.OPEN,
        reminded_at=invoice.reminded_at,
        now=now,
    )
    if refusal:
        raise Refused(refusal)
    _send_reminder(invoice, actor=actor, now=now)


def remind_when_due(invoice_id: int, *, now: datetime) -> bool:
    """Send the reminder whose time has come, the newest only; return whether one went."""
    invoice = _lock(invoice_id)
    passed = rules.reminders_passed(invoice.terms, invoice.due_at, now)
    if invoice.state is not InvoiceState.OPEN or passed <= invoice.reminded or _owed(invoice) <= 0:
        return False
    invoice.reminded = passed
    _send_reminder(invoice, actor=SYSTEM, now=now)
    return True


def _send_reminder(invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    invoice.reminded_at = now
    db.session.flush()
    mail.send_reminder(invoice, owed=_owed(invoice), now=now)
    _record("invoice.reminded", invoice, actor=actor, now=now)


def make_out_invoice_anew(
    invoice_id: int, to: Addressee, *, email: str, actor: Actor, now: datetime
) -> None:
    """Take an open invoice back by a credit note and write it again, for what is open now; send the new one.

    Locks the order. Raises Refused where nothing of it is open.
    """
    invoice, desk, owed = _open(invoice_id, now=now)
    void(desk, invoice.document, note=_("A new invoice takes its place."))
    terms = Terms(invoice.terms, invoice.due_at, owed)
    invoice.document_id, invoice.email = _write(desk, to, terms).id, email
    db.session.flush()
    db.session.refresh(invoice, ["document"])
    _record("invoice.sent", invoice, actor=actor, now=now)
    mail.send_invoice(invoice, now=now)


def cancel_invoice(invoice_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Take an invoice back by a credit note, and say so; places and what the order owes stay as they are.

    Locks the order. Raises Refused where nothing of it is open.
    """
    invoice, desk, _owed_now = _open(invoice_id, now=now)
    _close(invoice, desk, InvoiceState.CANCELLED, reason=reason, actor=actor, now=now)


def write_off(invoice_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Give up what is open of an invoice: a credit note over it, and the order costs that much less; places stay.

    Locks the order. Raises Refused where nothing of it is open.
    """
    invoice, desk, owed = _open(invoice_id, now=now)
    name = invoice.document.name
    line = _("Written off: invoice %(number)s", number=name)
    registration.write_off(invoice.order_id, owed, line=line)
    waiting = [r for r in desk.order.registrations if r.state is S.AWAITING_PAYMENT]
    if waiting:
        made_by = invoice.document.issued_at
        registration.confirm_paid(invoice.order_id, actor=actor, now=now, made_by=made_by)
    row = Row(_("Not to be paid any more of invoice %(number)s", number=name), reason, owed)
    sheet = Sheet(
        DocumentKind.CREDIT_NOTE, desk.order.currency, addressee(invoice.document),
        [(_("Order"), desk.order.code)], [row], [(_("Credited"), owed, True)],
    )  # fmt: skip
    cause, lines = f"writeoff:{invoice.id}", [PaperLine(row.what, owed, of_price=False)]
    desk.issue(written(desk, sheet, cause, lines, corrects=invoice.document))
    _end(invoice, InvoiceState.WRITTEN_OFF, reason=reason, actor=actor, now=now)


def mark_paid(invoice_id: int, *, now: datetime) -> None:
    """Note that an open invoice is paid; repeating it changes nothing. Locks the order."""
    invoice = _lock(invoice_id)
    if invoice.state is InvoiceState.OPEN:
        _mark_paid(invoice, now=now)


def _mark_paid(invoice: Invoice, *, now: datetime) -> None:
    claimed = queries.claimed(invoice.document, registrations.due(invoice.order_id))
    if claimed.received and not claimed.owed:
        _end(invoice, InvoiceState.PAID, reason="", actor=SYSTEM, now=now)


def open_again(order_id: int, *, actor: Actor, now: datetime) -> None:
    """Open the newest paid invoice again of which something is owed; the caller holds the order's lock.

    Where another is open already it stays as it is: that one is made out anew, over all that is owed.
    """
    if queries.find_open_invoice(order_id):
        return
    balance = registrations.due(order_id)
    for invoice in queries.list_paid_of(order_id):
        if queries.claimed(invoice.document, balance).owed:
            move(invoice, InvoiceState.OPEN, now=now)
            db.session.flush()
            _record("invoice.reopened", invoice, actor=actor, now=now)
            return


def close_if_nobody_comes(invoice_id: int, *, now: datetime) -> None:
    """Take an invoice back whose places were all let go or cancelled: nothing is to pay any more. Locks the order."""
    invoice = _lock(invoice_id)
    desk = open_desk(invoice.order_id, now=now)
    if invoice.state is not InvoiceState.OPEN or any(
        r.state in LIVE for r in desk.order.registrations
    ):
        return
    reason = _("Nobody of this order has a place any more.")
    _close(invoice, desk, InvoiceState.CANCELLED, reason=reason, actor=SYSTEM, now=now)


def _close(
    invoice: Invoice, desk: Desk, to: InvoiceState, *, reason: str, actor: Actor, now: datetime
) -> None:
    note = void(desk, invoice.document)
    _end(invoice, to, reason=reason, actor=actor, now=now)
    mail.send_cancelled(invoice, note, reason=reason, now=now)


def _end(invoice: Invoice, to: InvoiceState, *, reason: str, actor: Actor, now: datetime) -> None:
    move(invoice, to, now=now)
    invoice.reason = reason[:500]
    db.session.flush()
    _record(f"invoice.{to}", invoice, actor=actor, now=now, reason=reason)


def _open(invoice_id: int, *, now: datetime) -> tuple[Invoice, Desk, int]:
    invoice = _lock(invoice_id)
    desk = open_desk(invoice.order_id, now=now)
    owed = _owed(invoice)
    refusal = rules.why_not_close(open_=invoice.state is InvoiceState.OPEN, owed=owed)
    if refusal:
        raise Refused(refusal)
    return invoice, desk, owed


def _owed(invoice: Invoice) -> int:
    """Return how much of an invoice is open: never more than it says, nor than its order owes."""
    return queries.claimed(invoice.document, registrations.due(invoice.order_id)).owed


def _lock(invoice_id: int) -> Invoice:
    """Lock an invoice's order, then read the invoice afresh; raise NotFound."""
    order_id = queries.order_of_invoice(invoice_id)
    lock_rows(Order, [order_id])
    found = db.session.get(Invoice, invoice_id, populate_existing=True)
    if found is None:
        raise NotFound
    db.session.refresh(found, ["document", "order"])
    return found


def _record(
    action: str,
    invoice: Invoice,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    audit.record(
        action,
        ("invoice", invoice.id),
        actor=actor,
        now=now,
        order_id=invoice.order_id,
        reason=reason or None,
        after={"number": invoice.document.name, "state": invoice.state},
    )
