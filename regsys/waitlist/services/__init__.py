"""The verbs of the waiting list. Locks go entries first, then pools."""

from regsys.waitlist.services.answering import accept, decline, leave
from regsys.waitlist.services.arranging import move_entry, remove, skip, stop_skipping
from regsys.waitlist.services.closing import close_list, tell_unfinished
from regsys.waitlist.services.joining import Wish, enlist, join
from regsys.waitlist.services.offering import lapse, offer_by_hand, offer_next

__all__ = [
    "Wish",
    "accept",
    "close_list",
    "decline",
    "enlist",
    "join",
    "lapse",
    "leave",
    "move_entry",
    "offer_by_hand",
    "offer_next",
    "remove",
    "skip",
    "stop_skipping",
    "tell_unfinished",
]
