"""What a document says: everything that is printed, in words, put together once and kept with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from regsys.events.models import Event
from regsys.kernel.text import N_
from regsys.ledger.kinds import DOCUMENT_WORDS, DocumentKind
from regsys.ledger.models import Document
from regsys.ledger.services import PaperLine
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from regsys.registration.states import RegistrationState as S
from regsys.web.html import day, days, money
from regsys.web.texts import locale_name
from regsys.web.urls import settings

# The sheet that new documents are set with. A sheet that was used is never changed: add the next one.
TEMPLATE = 1
ENDED = frozenset({S.CANCELLED, S.TRANSFERRED, S.EXPIRED})
HOW = {
    "card": N_("by card"),
    "cheque": N_("by cheque"),
    "bank_transfer": N_("by bank transfer"),
    "cash": N_("in cash"),
}


@dataclass(frozen=True)
class Addressee:
    """To whom a document is made out: a name, the lines of an address, and their own number for it."""

    name: str
    address: str = ""
    po_number: str = ""

    @classmethod
    def of(cls, lines: Sequence[str]) -> "Addressee":
        """Return whom a document names whose printed lines these are."""
        return cls(lines[0], "\n".join(lines[1:]))

    @property
    def lines(self) -> list[str]:
        """Return name and address as they are printed."""
        return [line for line in (self.name, *self.address.splitlines()) if line.strip()]


@dataclass(frozen=True)
class Row:
    """One line of the price as it is printed; its amount in minor units."""

    what: str
    why: str
    amount: int


@dataclass(frozen=True)
class Sheet:
    """What is particular to one document; `sums` are (words, amount, whether it stands out)."""

    kind: DocumentKind
    currency: str
    to: Addressee
    facts: Sequence[tuple[str, str]]
    rows: Sequence[Row]
    sums: Sequence[tuple[str, int, bool]]
    note: str = ""
    stamp: str = ""
    pay: Sequence[tuple[str, Sequence[str]]] = field(default_factory=tuple)


TO_LABELS = {
    DocumentKind.RECEIPT: N_("Received from"),
    DocumentKind.INVOICE: N_("Billed to"),
    DocumentKind.CREDIT_NOTE: N_("Credited to"),
}


def write(sheet: Sheet, *, now: datetime) -> dict[str, Any]:
    """Return what billing/document_1.typ sets; the number is added when it is given."""
    site, zone = settings(), settings().TIME_ZONE
    facts = [(_("Date"), day(now, zone)), *sheet.facts]
    if sheet.to.po_number:
        facts.append((_("Purchase order"), sheet.to.po_number))
    return {
        "lang": locale_name()[:2],
        "kind": _(DOCUMENT_WORDS[sheet.kind]),
        "made": now.date().isoformat(),
        "from": {
            "name": site.ORGANISATION_NAME,
            "tagline": site.ORGANISATION_TAGLINE,
            "lines": _lines(site.ORGANISATION_ADDRESS),
            "email": site.ORGANISATION_EMAIL,
            "registration": site.ORGANISATION_REGISTRATION,
        },
        "to": {"label": _(TO_LABELS[sheet.kind]), "lines": sheet.to.lines},
        "facts": facts,
        "heads": [_("For"), _("Amount")],
        "rows": [
            {"what": r.what, "why": r.why, "amount": money(r.amount, sheet.currency)}
            for r in sheet.rows
        ],
        "sums": [
            {"words": words, "amount": money(amount, sheet.currency), "strong": strong}
            for words, amount, strong in sheet.sums
        ],
        "note": sheet.note,
        "stamp": sheet.stamp,
        "pay_title": _("How to pay"),
        "pay": [{"title": title, "lines": list(lines)} for title, lines in sheet.pay],
        "foot": site.DOCUMENT_FOOTER,
        "page": _("Page"),
        "of": _("of"),
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def rows_of(order: Order, lines: Sequence[OrderLine]) -> list[Row]:
    """Return the lines of an order's price as they are printed: they add up to what it costs.

    Help with the fee is known to the person and the committee: it is taken off the price of the place without a
    word. Whoever has left and costs nothing is left out.
    """
    rows = []
    for r in order.registrations:
        mine = [line for line in lines if line.registration_id == r.id]
        if r.state not in ENDED or sum(line.amount for line in mine) != 0:
            rows += _rows_of_person(r, mine)
    rows += [
        Row(line.reason, "", line.amount)
        for line in lines
        if line.registration_id is None and line.amount
    ]
    return rows


def _rows_of_person(r: Registration, lines: Sequence[OrderLine]) -> list[Row]:
    quietly = (LineKind.PLACE, LineKind.AWARD, LineKind.RETURN)
    place = sum(line.amount for line in lines if line.kind in quietly)
    rows = [Row(f"{r.ticket_type.name}: {r.name}", _event(r.event), place)]
    rows += [Row(line.reason, r.name, line.amount) for line in lines if line.kind not in quietly]
    here = r.state not in ENDED
    return [row for n, row in enumerate(rows) if row.amount != 0 or (here and n == 0)]


def _event(event: Event) -> str:
    return f"{event.title}, {days(event.starts_at, event.ends_at, event.time_zone)}"


def price_lines(rows: Sequence[Row]) -> list[PaperLine]:
    """Return the amounts of these rows for the books."""
    return [PaperLine(row.what, row.amount) for row in rows]


def how(method: str) -> str:
    """Return how money came or went, in words."""
    return _(HOW[method])


def po_number_of(document: Document) -> str:
    """Return the payer's own number, as a paper says it."""
    return next(
        (str(value) for name, value in document.content["facts"] if name == _("Purchase order")), ""
    )
