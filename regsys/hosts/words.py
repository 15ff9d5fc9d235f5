"""The words in which templates speak of a host's seats."""

from collections.abc import Mapping

from flask_babel import gettext as _

from regsys.hosts.queries import Seat, Table
from regsys.hosts.rules import SeatWord
from regsys.kernel.text import N_
from regsys.web import ring as rings

# State word, shape of its chip, tone.
CHIPS: Mapping[SeatWord, tuple[str, str, str]] = {
    SeatWord.INVITED: (N_("Invited"), "held", ""),
    SeatWord.ANSWERED: (N_("Answered"), "held", ""),
    SeatWord.CONFIRMED: (N_("Confirmed"), "full", "good"),
}


def seat_chip(seat: Seat) -> tuple[str, str, str]:
    """Return the state of a seat as a chip: word, shape, tone."""
    word, shape, tone = CHIPS[seat.word]
    return _(word), shape, tone


def seat_sentence(seat: Seat, table: Table) -> str:
    """Return what a seat waits for, without anything that its person has told."""
    if seat.word is SeatWord.INVITED:
        return _("Has a letter with a link, and has not answered yet.")
    if seat.word is SeatWord.ANSWERED:
        return _("Has answered; the seat waits to be paid.")
    return _("Has answered, and has the seat for good.")


def seats_ring(table: Table) -> rings.Ring:
    """Return the ring of a host's seats: confirmed, named, without a name."""
    good = sum(seat.word is SeatWord.CONFIRMED for seat in table.seats)
    chairs = min(len(table.host.event.assignments), 2) or 2
    return rings.ring_of(
        taken=good,
        held=len(table.seats) - good,
        free=table.facts.open_seats,
        leaders=chairs,
    )


GLOBALS = (seat_chip, seat_sentence, seats_ring)
