"""Who acts: carried from the door into the audit."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Actor:
    """A person or a part of the system; `roles` holds (role, event id or None for all events)."""

    kind: str
    id: int | None = None
    label: str = ""
    email: str = ""
    roles: frozenset[tuple[str, int | None]] = field(default_factory=frozenset)

    @property
    def signed_in(self) -> bool:
        return self.kind == "user"

    def has(self, *roles: str, event_id: int | None = None) -> bool:
        """Tell whether one of the roles is held for all events or for this one; an owner holds every organizer's."""
        wanted = {*roles, "owner"} if set(roles) & ORGANIZER_ROLES else set(roles)
        return any(r in wanted and (scope is None or scope == event_id) for r, scope in self.roles)

    def has_anywhere(self, *roles: str) -> bool:
        """Tell whether one of the roles is held for at least one event."""
        wanted = {*roles, "owner"} if set(roles) & ORGANIZER_ROLES else set(roles)
        return any(r in wanted for r, _ in self.roles)

    def scope(self, *roles: str) -> frozenset[int] | None:
        """Return the event ids for which one of the roles is held; None means all events."""
        wanted = {*roles, "owner"} if set(roles) & ORGANIZER_ROLES else set(roles)
        scopes = {s for r, s in self.roles if r in wanted}
        return None if None in scopes else frozenset(s for s in scopes if s is not None)


ORGANIZER_ROLES = frozenset({"registrar", "treasurer"})
ANONYMOUS = Actor("visitor")
SYSTEM = Actor("system", label="regsys")
STRIPE = Actor("stripe", label="Stripe")


def payer(label: str) -> Actor:
    """Return the payer of an order, known by a secret link only."""
    return Actor("payer", label=label)


def attendee(label: str) -> Actor:
    """Return an attendee, known by a secret link only."""
    return Actor("attendee", label=label)
