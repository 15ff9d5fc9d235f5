"""What a visitor's browser has opened: events by their private link, and those for members by a member's proof."""

from datetime import datetime

from flask import request, session

from regsys.events import queries, rules
from regsys.members.badge import find_badge


def opened_events(now: datetime) -> list[int]:
    """Return the ids of the events that this browser may see beside the public ones."""
    if not request.cookies:
        return []
    opened = list(session.get(rules.OPENED, []))
    return [*opened, *queries.list_for_members()] if find_badge(now) else opened
