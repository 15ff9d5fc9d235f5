"""Issuing receipts, invoices and credit notes: the one place where they get their numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from regsys.audit import services as audit
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, inserting
from regsys.ledger.kinds import DocumentKind, document_name
from regsys.ledger.models import Document, DocumentLine, DocumentNumber


@dataclass(frozen=True)
class PaperLine:
    """One amount of a document in minor units; `of_price`: it is a part of the order's price."""

    what: str
    amount: int
    of_price: bool = True


@dataclass(frozen=True)
class Paper:
    """What a document will say. `cause` names what made it: of one cause there is one document.

    `content` is everything that is printed, in words; `through_line` the newest line of the price that it knows of.
    """

    kind: DocumentKind
    order_id: int
    cause: str
    currency: str
    lines: Sequence[PaperLine]
    template: int
    content: Mapping[str, Any]
    billed_to: str
    through_line: int | None = None
    corrects_id: int | None = None


def issue(paper: Paper, *, zone: str, actor: Actor, now: datetime) -> Document:
    """Give a paper the next number of its kind and year, and keep it for good.

    The caller holds the order's lock and has looked that there is none of this cause. The number's row stays locked
    until the commit: whoever comes next waits, and a rollback gives the number back, so that none is ever missing.
    """
    year = now.astimezone(ZoneInfo(zone)).year
    total = sum(line.amount for line in paper.lines)
    number = _take_number(paper.kind, year)
    document = Document(
        kind=paper.kind,
        year=year,
        number=number,
        order_id=paper.order_id,
        cause=paper.cause,
        corrects_id=paper.corrects_id,
        issued_at=now,
        currency=paper.currency,
        total=total,
        through_line=paper.through_line,
        billed_to=paper.billed_to[:300],
        template=paper.template,
        content={**paper.content, "number": document_name(paper.kind, year, number)},
    )
    db.session.add(document)
    db.session.flush()
    db.session.add_all(
        DocumentLine(
            document_id=document.id, position=n, what=line.what[:300], amount=line.amount,
            of_price=line.of_price,
        )
        for n, line in enumerate(paper.lines, start=1)
    )  # fmt: skip
    db.session.flush()
    audit.record(
        f"document.{paper.kind}",
        ("document", document.id),
        actor=actor,
        now=now,
        order_id=paper.order_id,
        after={"number": document.name, "total": total, "currency": paper.currency},
    )
    return document


def _take_number(kind: DocumentKind, year: int) -> int:
    row = inserting(DocumentNumber).values(kind=kind, year=year, last=1)
    row = row.on_conflict_do_update(
        index_elements=[DocumentNumber.kind, DocumentNumber.year],
        set_={"last": DocumentNumber.last + 1},
    )
    number: int = db.session.scalar(row.returning(DocumentNumber.last))
    return number
