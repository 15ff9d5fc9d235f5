"""The few ways in which work is refused; `web.errors` maps each to a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class RegsysError(Exception):
    """Base of every expected error; its text is a sentence for people."""


class NotFound(RegsysError):
    """No such thing, or not yours: the two are never told apart."""


class Forbidden(RegsysError):
    """Known, but this actor may not."""


class Invalid(RegsysError):
    """Input is malformed; `fields` maps a field name to its sentences."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        super().__init__("; ".join(s for sentences in fields.values() for s in sentences))
        self.fields = fields


@dataclass(frozen=True)
class Refusal:
    """One business reason for saying no: a noun of the fact, and one sentence for people.

    `sentence` is a message id (marked with `N_`), translated and filled with `facts` when shown.
    """

    name: str
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Refused(RegsysError):
    """Business says no."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence % dict(refusal.facts))
        self.refusal = refusal


class IllegalMove(RegsysError):
    """The thing is no longer in a state from which this can be done: a stale tab, a second click."""

    def __init__(self, what: str, frm: str, to: str) -> None:
        super().__init__(f"{what} cannot go from {frm} to {to}")
        self.what, self.frm, self.to = what, frm, to


class Busy(RegsysError):
    """A lock was not had in time; nothing was done and trying again is right."""


class OutOfRoom(RegsysError):
    """The disk is full; nothing was done, and the operator has to make room."""


class DatabaseAway(RegsysError):
    """The database does not answer; whether the last step was kept is not known."""


class UpstreamFailed(RegsysError):
    """Stripe or the mail server did not answer as they should.

    `not_charged` is True only where it is known that no money moved.
    """

    def __init__(self, sentence: str, *, not_charged: bool = False) -> None:
        super().__init__(sentence)
        self.not_charged = not_charged


# What is right to be tried again by itself later, where what matters is written down already.
NOT_NOW = (UpstreamFailed, Busy, OutOfRoom)


class TooMany(RegsysError):
    """A rate limit was reached; `retry_after` is in seconds."""

    def __init__(self, sentence: str, *, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
