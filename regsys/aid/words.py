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


def may_ask_for_help(people: list[Registration], order: Order) -> bool:
    """Tell whether somebody in this order can ask for help: their own place, alone in it, not paid."""
    if len(people) != 1 or not people[0].is_payer or people[0].moved_from_id:
        return False
    (r,) = people
    waits = r.state is RegistrationState.AWAITING_PAYMENT
    return waits and r.price > 0 and queries.find_fund(r.event_id, order.currency) is not None


GLOBALS = (aid_chip, aid_count, may_ask_for_help)
