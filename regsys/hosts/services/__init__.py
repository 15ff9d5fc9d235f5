"""The verbs of hosts. Locks go host first, then order, then pools."""

from regsys.hosts.services.asking import approve, ask, close_request, decline
from regsys.hosts.services.naming import name_seat, swap, take_off
from regsys.hosts.services.setting import HostPlan, draft_from_inquiry, invite, set_host
from regsys.hosts.services.sweeping import look_after, tell_lapsed

__all__ = [
    "HostPlan",
    "approve",
    "ask",
    "close_request",
    "decline",
    "draft_from_inquiry",
    "invite",
    "look_after",
    "name_seat",
    "set_host",
    "swap",
    "take_off",
    "tell_lapsed",
]
