"""The badge in a browser's session: who proved by a mailed link that they are a member."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import session

from regsys.members import queries
from regsys.members.rules import BADGE, Badge, read_badge
from regsys.web.urls import settings


def today(now: datetime) -> date:
    """Return the day that it is for the society."""
    return now.astimezone(ZoneInfo(settings().TIME_ZONE)).date()


def put_on(badge: Badge) -> None:
    """Mark this browser as a member's."""
    session[BADGE] = [badge.member_id, badge.until.isoformat()]


def find_badge(now: datetime) -> Badge | None:
    """Find the badge of this browser; None where there is none, or its day is over."""
    return read_badge(session.get(BADGE), today(now))


def find_own_proof(now: datetime) -> dict[str, Any] | None:
    """Find the proof that whoever sits at this browser is a member today, as the list says now."""
    badge = find_badge(now)
    return queries.find_proof(badge.member_id, now=now, today=today(now)) if badge else None
