"""Where applicants stand, in words: for their page and for those who decide."""

from typing import Any

from flask_babel import gettext as _

from regsys.applications.models import Application
from regsys.applications.rules import Decision, Stand
from regsys.kernel.text import N_
from regsys.web.html import deadline, when

# Word, shape and tone of the chip.
CHIPS = {
    Stand.CALLED_OFF: (N_("Will not take place"), "over", ""),
    Stand.SENT: (N_("Sent"), "free", ""),
    Stand.ASKED: (N_("A question is open"), "held", "warn"),
    Stand.READING: (N_("Under review"), "held", ""),
    Stand.NO_PLACE: (N_("Accepted, waits for a place"), "held", ""),
    Stand.HELD: (N_("Accepted, place held"), "held", "warn"),
    Stand.PAYING: (N_("Accepted, paying"), "held", "warn"),
    Stand.CONFIRMED: (N_("Confirmed"), "full", "good"),
    Stand.LAPSED: (N_("Accepted, place let go"), "over", "warn"),
    Stand.GIVEN_BACK: (N_("Accepted, place given back"), "over", ""),
    Stand.DECLINED: (N_("Declined"), "over", ""),
    Stand.WITHDRAWN: (N_("Withdrawn"), "over", ""),
}

# The same, where the leader talks with everybody first.
TALKS = {
    Stand.SENT: N_("Your wish to join is with the leader, who writes to you for a talk."),
    Stand.READING: N_("Your wish to join is with the leader; nothing is decided yet."),
    Stand.ASKED: N_("The leader has a question for you, and goes on when you have answered."),
}

DECISIONS = {
    Decision.ACCEPT: N_("Accept"),
    Decision.WAIT: N_("Accept without a place for now"),
    Decision.DECLINE: N_("Decline"),
    Decision.ASK: N_("Ask back"),
}


def stand_chip(stand: Stand) -> tuple[str, str, str]:
    """Return word, shape and tone."""
    word, shape, tone = CHIPS[stand]
    return _(word), shape, tone


def decision_word(decision: Decision) -> str:
    """Return what a button says."""
    return _(DECISIONS[decision])


def stand_words(a: Application, stand: Stand) -> str:
    """Return the one sentence about where somebody stands."""
    zone = a.event.time_zone
    day = deadline(a.event.answer_by, zone) if a.event.answer_by else ""
    by = " " + _("You hear from us by %(day)s.", day=day) if day else ""
    held = a.registration.order.held_until if a.registration else None
    sentences: dict[Stand, Any] = {
        Stand.CALLED_OFF: N_("This event will not take place, so nothing more happens here."),
        Stand.SENT: N_("Your application is here, and nobody has begun to read it yet."),
        Stand.ASKED: N_("The reviewers have a question for you, and go on when you have answered."),
        Stand.READING: N_("The reviewers are reading your application; nothing is decided yet."),
        Stand.NO_PLACE: N_("You are accepted, and wait for a place: all are taken at the moment."),
        Stand.PAYING: N_("You are accepted, and your payment is under way."),
        Stand.CONFIRMED: N_("You are accepted, and you have a place."),
        Stand.LAPSED: N_(
            "You were accepted, and the place that was held for you was let go, since it was not "
            "taken in time. If you would still like to come, please write to us."
        ),
        Stand.GIVEN_BACK: N_("You were accepted, and your place was given back."),
        Stand.DECLINED: N_("We could not offer you a place this time."),
        Stand.WITHDRAWN: N_("You have withdrawn this application."),
    }
    if a.event.talk_first and stand in TALKS:
        return _(TALKS[stand]) + by
    if stand is Stand.HELD and held:
        until = when(held, zone)
        return _(
            "You are accepted: a place is held for you until %(until)s, and yours when you take it.",
            until=until,
        )
    tail = by if stand in (Stand.SENT, Stand.READING) else ""
    return _(sentences[stand]) + tail
