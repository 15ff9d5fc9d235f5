"""How requests and funds stand, in words."""

from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.aid import queries
from regsys.aid.states import RequestState as S
from regsys.kernel.text import N_
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState

CHIPS: dict[S, tuple[str, str, str]] = {
    S.ASKED: (N_("Waits for an answer"), "held", "warn"),
    S.AWARDED: (N_("Awarded"), "held", ""),
    S.USED: (N_("Used"), "full", "good"),
    S.DECLINED: (N_("Declined"), "over", ""),
    S.WITHDRAWN: (N_("Taken back"), "over", ""),
    S.RETURNED: (N_("Returned to the fund"), "over", ""),
}


def aid_chip(state: S) -> tuple[str, str, str]:
    """Return word, shape and tone of a request's state."""
    word, shape, tone = CHIPS[state]
    return _(word), shape, tone


def aid_count(count: int | None) -> str:
    """Return a count of the report; few people are never told apart."""
    if count is None:
        return _("fewer than 5")
    return ngettext("%(num)d request", "%(num)d requests", count)


def help_offer(people: list[Registration], order: Order) -> str:
    """Return what the payer of an unpaid order is offered; empty: nothing."""
    waiting = [r for r in people if r.state is RegistrationState.AWAITING_PAYMENT and r.price]
    if not waiting or any(r.moved_from_id for r in waiting) or not queries.is_offered(order.id):
        return ""
    return help_label(people)


def help_label(people: list[Registration]) -> str:
    """Return what is offered before paying: help is spoken of to those only who pay for themselves and nobody else."""
    if len(people) == 1 and people[0].is_payer:
        return _("Ask for help with the fee")
    return _("Ask the others first")


def own_help(r: Registration, holding: bool) -> str:
    """Return what leads a person to their own request, or to asking; empty: neither."""
    if queries.find_of_place(r.id):
        return _("See how your request stands")
    may = r.state is RegistrationState.AWAITING_PAYMENT and r.price and holding
    if not may or r.moved_from_id or queries.find_fund(r.event_id, r.order.currency) is None:
        return ""
    return _("Ask for help with the fee")


GLOBALS = (aid_chip, aid_count, help_label, help_offer, own_help)
