"""Who is asking: the session cookie holds a token, the table its hash; the templates learn who it is."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, has_request_context, session, url_for

from regsys.accounts import queries
from regsys.kernel import clock
from regsys.kernel.actors import ANONYMOUS, Actor
from regsys.web.guard import current_actor, use_actors

TOKEN = "sign_in"

# Where each role's work begins; the pages belong to rooms above, so they are known by name only.
HOMES = (
    (("registrar", "treasurer"), "reports_organizer.home"),
    (("reviewer",), "applications_organizer.desks"),
    (("committee",), "aid_organizer.requests"),
    (("leader",), "leaders_leader.home"),
    (("host_coordinator",), "hosts_coordinator.home"),
)


@dataclass(frozen=True)
class Face:
    """The actor as the templates see it."""

    actor: Actor
    home_url: str

    @property
    def signed_in(self) -> bool:
        return self.actor.signed_in

    @property
    def label(self) -> str:
        return self.actor.label

    @property
    def email(self) -> str:
        return self.actor.email

    def has(self, *roles: str, event_id: int | None = None) -> bool:
        return self.actor.has(*roles, event_id=event_id)

    def has_anywhere(self, *roles: str) -> bool:
        return self.actor.has_anywhere(*roles)


def find_actor() -> Actor | None:
    """Find the person behind the session cookie."""
    token = session.get(TOKEN)
    found = queries.find_session(token, now=clock.now()) if token else None
    if found is None:
        return None
    g.sign_in_session = found
    return queries.actor_of(found.user)


def home_of(actor: Actor) -> str:
    """Return where this person's work begins."""
    for roles, endpoint in HOMES:
        if actor.has_anywhere(*roles) and endpoint in current_app.view_functions:
            return url_for(endpoint)
    return url_for("accounts.account")


def _faces() -> dict[str, Any]:
    if not has_request_context():  # a letter is written: nobody asks
        return {"actor": Face(ANONYMOUS, "")}
    actor = current_actor()
    home = home_of(actor) if actor.signed_in else url_for("accounts.sign_in")
    return {"actor": Face(actor, home), "sign_out_url": url_for("accounts.sign_out")}


def register(app: Flask) -> None:
    """Fill the actor slot and tell the templates who is asking."""
    app.extensions.setdefault(queries.EXTRA_ROLES, [])
    use_actors(app, find_actor)
    app.context_processor(_faces)
