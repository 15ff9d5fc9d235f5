"""Reading the list of members, with a constant number of queries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import joinedload

from regsys.kernel import tokens
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_, email_key
from regsys.members import reading, rules
from regsys.members.models import Member, MemberLink, MemberUpload

MOST = 50
BATCH = 500


@dataclass(frozen=True)
class Filter:
    """Which members are listed; `ended`: those who are none any more, or None for all."""

    words: str = ""
    ended: bool | None = None


def _is_valid(today: date) -> ColumnElement[bool]:
    return and_(Member.ended_at.is_(None), Member.valid_until >= today)


def _where(wanted: Filter, today: date) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.ended is not None:
        valid = _is_valid(today)
        where.append(not_(valid) if wanted.ended else valid)
    for word in wanted.words.split()[:5]:
        columns = (Member.number, Member.name, Member.email)
        where.append(or_(*(c.icontains(word, autoescape=True) for c in columns)))
    return where


def list_members(
    wanted: Filter, *, today: date, page: int = 1, size: int = MOST
) -> tuple[list[Member], int]:
    """List one page of members by number, with how many there are in all."""
    where = _where(wanted, today)
    total = db.session.scalar(select(func.count()).select_from(Member).where(*where)) or 0
    query = select(Member).where(*where).order_by(Member.number, Member.id)
    query = query.limit(size).offset((max(page, 1) - 1) * size)
    return list(db.session.scalars(query)), total


def stream_members(wanted: Filter, *, today: date) -> Iterator[list[Member]]:
    """Yield every member that fits, in batches; ends the read transaction after each."""
    last = 0
    while True:
        query = select(Member).where(*_where(wanted, today), Member.id > last)
        batch = list(db.session.scalars(query.order_by(Member.id).limit(BATCH)))
        if not batch:
            return
        last = batch[-1].id
        yield batch
        db.session.expunge_all()
        db.session.rollback()


def count_members(today: date) -> tuple[int, int]:
    """Count who is a member today, and who was one."""
    total = db.session.scalar(select(func.count()).select_from(Member)) or 0
    query = select(func.count()).select_from(Member).where(_is_valid(today))
    valid = db.session.scalar(query) or 0
    return valid, total - valid


def list_known() -> list[rules.Known]:
    """List everybody who is or was a member, as a new list is compared with them."""
    query = select(
        Member.number, Member.name, Member.email, Member.valid_until, Member.ended_at.is_not(None)
    )
    rows = db.session.execute(query.order_by(Member.number))
    return [rules.Known(*row) for row in rows]


def find_by_email(email: str, number: str = "") -> Sequence[Member]:
    """Find who is on the list under this address, and under this number where one is given."""
    query = select(Member).where(Member.email_key == email_key(email))
    if number:
        query = query.where(func.lower(Member.number) == number.lower())
    return list(db.session.scalars(query.order_by(Member.id)))


@dataclass(frozen=True)
class Membership:
    """What the list says about an address today."""

    number: str
    valid_until: date
    valid: bool


def memberships_of(email_keys: Sequence[str], *, today: date) -> dict[str, Membership]:
    """Return what the list says about these addresses (casefolded); those that are not on it have no entry."""
    query = select(Member).where(Member.email_key.in_(email_keys)).order_by(Member.valid_until)
    found: dict[str, Membership] = {}
    for m in db.session.scalars(query):
        valid = rules.is_valid(valid_until=m.valid_until, ended=bool(m.ended_at), today=today)
        if valid or not (m.email_key in found and found[m.email_key].valid):
            found[m.email_key] = Membership(m.number, m.valid_until, valid)
    return found


def find_proof(member_id: int | None, *, now: datetime, today: date) -> dict[str, Any] | None:
    """Find the proof that somebody is a member today, as a place keeps it."""
    m = db.session.get(Member, member_id) if member_id else None
    if m is None:
        return None
    if not rules.is_valid(valid_until=m.valid_until, ended=bool(m.ended_at), today=today):
        return None
    return rules.proof_of(number=m.number, email=m.email, valid_until=m.valid_until, at=now)


def find_good_link(token: str, *, now: datetime) -> MemberLink | None:
    """Find a link that can still be used, with its member."""
    query = select(MemberLink).options(joinedload(MemberLink.member))
    mine = MemberLink.token_hash == tokens.hash_token(token)
    return db.session.scalar(
        query.where(mine, MemberLink.used_at.is_(None), MemberLink.expires_at > now)
    )


# ---- uploads


@dataclass(frozen=True)
class Preview:
    """An upload, compared with the list as it is now; `seen` names that list."""

    upload: MemberUpload
    difference: rules.Difference
    unread: Sequence[rules.Unread]
    seen: str


def get_preview(upload_id: int) -> Preview:
    """Get an upload with what it would change; raise NotFound."""
    upload = db.session.get(MemberUpload, upload_id)
    if upload is None:
        raise NotFound(N_("This list was taken over already, or forgotten. Upload it once more."))
    read = reading.from_content(upload.content)
    difference = rules.compare(read.lines, list_known(), whole=upload.whole)
    unread = sorted([*read.unread, *difference.twice], key=lambda u: u.line)
    return Preview(upload, difference, unread, list_stamp())


def list_stamp() -> str:
    """Return a text that differs whenever the list has changed."""
    count = db.session.scalar(select(func.count()).select_from(Member))
    last = db.session.scalar(select(func.max(Member.changed_at)))
    return f"{count}:{last.isoformat() if last else ''}"
