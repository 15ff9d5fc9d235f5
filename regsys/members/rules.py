"""Pure questions about members: what a new list changes, who counts as one today, and for how long a browser does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_, email_key

# The browser's session keeps here which member proved their address in it, and until which day that counts.
BADGE = "member"
BADGE_DAYS = timedelta(days=30)
LINK_LIFE = timedelta(minutes=30)
UPLOAD_KEPT = timedelta(days=2)

LINK_SPENT = Refusal(
    "LinkSpent", N_("This link has been used, or it is too old. Ask for a new one below.")
)
LIST_CHANGED = Refusal(
    "ListChanged",
    N_("The list of members was changed meanwhile. What is below is compared with the new one."),
)


@dataclass(frozen=True)
class Line:
    """One member as a file has them; `line` is its number in the file, the heading being 1."""

    line: int
    number: str
    name: str
    email: str
    valid_until: date


@dataclass(frozen=True)
class Unread:
    """A line that cannot be used, with the reason as a message and its facts."""

    line: int
    why: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """One member as the list has them now."""

    number: str
    name: str
    email: str
    valid_until: date
    ended: bool = False


@dataclass(frozen=True)
class Changed:
    """A member about whom the file says something else; `back`: they were no member any more."""

    line: Line
    before: Known

    @property
    def back(self) -> bool:
        return self.before.ended


@dataclass(frozen=True)
class Difference:
    """What a file would do to the list; `twice` are lines whose number stood in an earlier line."""

    new: Sequence[Line]
    changed: Sequence[Changed]
    ended: Sequence[Known]
    same: int
    twice: Sequence[Unread]

    @property
    def changes(self) -> int:
        return len(self.new) + len(self.changed) + len(self.ended)


def compare(lines: Sequence[Line], known: Sequence[Known], *, whole: bool) -> Difference:
    """Compare a file with the list, by member number; `whole`: who is not in it is a member no longer."""
    by_number = {k.number.casefold(): k for k in known}
    seen: dict[str, int] = {}
    new, changed, twice, same = [], [], [], 0
    for line in lines:
        key = line.number.casefold()
        if key in seen:
            twice.append(
                Unread(
                    line.line,
                    N_("Number %(number)s stands in line %(first)s already."),
                    {"number": line.number, "first": str(seen[key])},
                )
            )
            continue
        seen[key] = line.line
        before = by_number.get(key)
        if before is None:
            new.append(line)
        elif before.ended or _differs(line, before):
            changed.append(Changed(line, before))
        else:
            same += 1
    gone = [k for k in known if whole and not k.ended and k.number.casefold() not in seen]
    return Difference(new, changed, gone, same, twice)


def _differs(line: Line, before: Known) -> bool:
    # A file without names does not take the names away.
    name = line.name or before.name
    return (name, line.email, line.valid_until) != (before.name, before.email, before.valid_until)


def is_valid(*, valid_until: date, ended: bool, today: date) -> bool:
    """Tell whether somebody on the list is a member today; the last day counts."""
    return not ended and today <= valid_until


def badge_until(valid_until: date, today: date) -> date:
    """Return the last day on which a browser counts as a member's: a month, and not beyond the membership."""
    return min(valid_until, today + BADGE_DAYS)


@dataclass(frozen=True)
class Badge:
    """What a browser's session says: which member, and the last day on which that counts."""

    member_id: int
    until: date


def read_badge(kept: object, today: date) -> Badge | None:
    """Read what the session keeps; None where there is nothing, or its day is over."""
    if not (isinstance(kept, list) and len(kept) == 2 and isinstance(kept[0], int)):
        return None
    until = date.fromisoformat(str(kept[1]))
    return Badge(kept[0], until) if today <= until else None


def proof_of(*, number: str, email: str, valid_until: date, at: datetime) -> dict[str, Any]:
    """Return the proof as a place keeps it: what the list said on that day. `kind` says which proof it is."""
    return {
        "kind": "member",
        "number": number,
        "until": valid_until.isoformat(),
        "email_key": email_key(email),
        "on": at.date().isoformat(),
    }
