"""How long links and sessions last, and which passwords are good enough."""

from collections.abc import Collection
from datetime import datetime, timedelta

from regsys.accounts.kinds import Purpose, Role
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_, email_key

LINK_LIFE = {Purpose.SIGN_IN: timedelta(minutes=20), Purpose.SET_PASSWORD: timedelta(hours=1)}
INVITATION_LIFE = timedelta(days=3)
LEADER_SESSION = timedelta(days=14)
ORGANIZER_SESSION = timedelta(hours=12)
TOUCH_EVERY = timedelta(hours=1)
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200

LINK_SPENT = Refusal(
    "LinkSpent", N_("This link has been used, or it is too old. Ask for a new one below.")
)

HAS_ROLE = Refusal("HasRole", N_("They have this role already."))
LAST_OWNER = Refusal("LastOwner", N_("This is the last owner. Make somebody else an owner first."))


def is_organizer(roles: Collection[Role]) -> bool:
    """Tell whether this person signs in by password: everybody with a granted role but the host coordinator."""
    return any(role is not Role.HOST_COORDINATOR for role in roles)


def session_end(roles: Collection[Role], *, started: datetime, now: datetime) -> datetime:
    """Return when a session ends: organizers' 12 hours after signing in, others' 14 days after the last use."""
    return started + ORGANIZER_SESSION if is_organizer(roles) else now + LEADER_SESSION


def needs_touch(seen_at: datetime, *, now: datetime) -> bool:
    """Tell whether the last use is long enough ago to be written down again."""
    return now - seen_at >= TOUCH_EVERY


def password_problem(password: str, *, email: str, name: str) -> str | None:
    """Return what is wrong with a new password, as a message id, or None."""
    plain = password.casefold()
    if len(password) < SHORTEST_PASSWORD:
        return N_("At least 12 characters, please: three or four words are easy to remember.")
    if len(password) > LONGEST_PASSWORD:
        return N_("At most 200 characters, please.")
    if len(set(plain)) < 5:
        return N_("This repeats itself too much; please mix more.")
    mine = [email_key(email), email_key(email).split("@")[0], *name.casefold().split()]
    rest = plain
    for word in sorted(mine, key=len, reverse=True):
        rest = rest.replace(word, "") if len(word) > 2 else rest
    if len(rest) < 6:
        return N_("This is too close to your name or address.")
    return None
