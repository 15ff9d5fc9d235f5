"""The verbs of the list of members: keep an upload, take it over, prove an address."""

from datetime import date, datetime, timedelta

from sqlalchemy import delete, select, update

from regsys.audit.services import record
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_, email_key
from regsys.members import mail, queries, rules
from regsys.members.models import Member, MemberLink, MemberUpload
from regsys.members.reading import Read, as_content

SITE = ("site", 0)


def keep_upload(
    file_name: str, read: Read, *, whole: bool, actor: Actor, now: datetime
) -> MemberUpload:
    """Keep what a file says, so that somebody can look at it; the list stays as it is."""
    upload = MemberUpload(
        file_name=file_name[:200],
        whole=whole,
        content=as_content(read),
        made_by=actor.label,
        made_at=now,
    )
    db.session.add(upload)
    db.session.flush()
    return upload


def take_over(upload_id: int, *, seen: str, actor: Actor, now: datetime) -> rules.Difference:
    """Change the list as an upload says, and forget the upload.

    Raises Refused where the list is another than the one that was looked at (`seen`), NotFound where it was taken over.
    """
    if not lock_rows(MemberUpload, [upload_id]):
        raise NotFound(N_("This list was taken over already, or forgotten. Upload it once more."))
    # Of two uploads that are taken over at once, the second sees what the first has changed.
    lock_rows(Member, list(db.session.scalars(select(Member.id))))
    preview = queries.get_preview(upload_id)
    if preview.seen != seen:
        raise Refused(rules.LIST_CHANGED)
    difference, whole = preview.difference, preview.upload.whole
    known = {m.number.casefold(): m for m in db.session.scalars(select(Member))}
    db.session.add_all(_make(line, now=now) for line in difference.new)
    for one in difference.changed:
        _change(known[one.line.number.casefold()], one.line, now=now)
    for gone in difference.ended:
        m = known[gone.number.casefold()]
        m.ended_at = m.changed_at = now
    db.session.delete(preview.upload)
    db.session.flush()
    counts = {
        "file": preview.upload.file_name,
        "whole": whole,
        "new": len(difference.new),
        "changed": len(difference.changed),
        "ended": len(difference.ended),
        "unread": len(preview.unread),
    }
    record("members.list_taken_over", SITE, actor=actor, now=now, after=counts)
    return difference


def _make(line: rules.Line, *, now: datetime) -> Member:
    return Member(
        number=line.number,
        name=line.name,
        email=line.email,
        email_key=email_key(line.email),
        valid_until=line.valid_until,
        created_at=now,
        changed_at=now,
    )


def _change(m: Member, line: rules.Line, *, now: datetime) -> None:
    m.name, m.email, m.email_key = line.name or m.name, line.email, email_key(line.email)
    m.valid_until, m.ended_at, m.changed_at = line.valid_until, None, now


def log_export(*, rows: int, actor: Actor, now: datetime) -> None:
    """Write down who takes the list out."""
    record("members.exported", SITE, actor=actor, now=now, after={"rows": rows})


# ---- proving


def mail_link(email: str, number: str, *, target: str | None, today: date, now: datetime) -> None:
    """Mail a link to each member with this address; whose membership is over is told so; nobody else gets a letter."""
    for m in queries.find_by_email(email, number):
        if rules.is_valid(valid_until=m.valid_until, ended=bool(m.ended_at), today=today):
            mail.send_link(m, new_link(m.id, target=target, now=now), now=now)
        else:
            mail.send_over(m, now=now)


def new_link(member_id: int, *, target: str | None, now: datetime) -> str:
    """Make a link that works once, and return its token."""
    token = tokens.new_token()
    db.session.add(
        MemberLink(
            token_hash=tokens.hash_token(token),
            member_id=member_id,
            target=target,
            expires_at=now + rules.LINK_LIFE,
        )
    )
    db.session.flush()
    return token


def use_link(token: str, *, today: date, now: datetime) -> tuple[rules.Badge, str | None]:
    """Use up a link and return the badge for this browser, and where to go; raise Refused if it is spent or unknown.

    Two who open it at once: the row count lets one through.
    """
    used = (
        update(MemberLink)
        .where(MemberLink.token_hash == tokens.hash_token(token))
        .where(MemberLink.used_at.is_(None), MemberLink.expires_at > now)
        .values(used_at=now)
        .returning(MemberLink.member_id, MemberLink.target)
    )
    row = db.session.execute(used).one_or_none()
    m = db.session.get(Member, row.member_id) if row else None
    if row is None or m is None:
        raise Refused(rules.LINK_SPENT)
    if not rules.is_valid(valid_until=m.valid_until, ended=bool(m.ended_at), today=today):
        raise Refused(rules.LINK_SPENT)
    return rules.Badge(m.id, rules.badge_until(m.valid_until, today)), row.target


def forget_old(*, now: datetime) -> None:
    """Forget links that are over and lists that nobody took over."""
    spent = MemberLink.expires_at < now - timedelta(days=7)
    db.session.execute(delete(MemberLink).where(spent))
    old = MemberUpload.made_at < now - rules.UPLOAD_KEPT
    db.session.execute(delete(MemberUpload).where(old))
