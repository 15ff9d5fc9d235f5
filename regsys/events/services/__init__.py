"""Verbs about events; each locks the event, so that two organizers never change it at once."""

from regsys.events.services.copying import copy_event
from regsys.events.services.drafting import Basics, change_event, create_event, renew_private_key
from regsys.events.services.leading import (
    LeaderFacts,
    Part,
    VenueFacts,
    save_leader,
    save_venue,
    set_leaders,
)
from regsys.events.services.options import OptionPlan, make_option_pool, set_options
from regsys.events.services.places import PlacesPlan, TypePlan, fit_pool, set_places
from regsys.events.services.publishing import (
    call_off_with_people,
    cancel_event,
    close_event,
    hide_event,
    publish_event,
    reopen_event,
)
from regsys.events.services.refunds import set_refunds
from regsys.events.services.scheduling import Meeting, Schedule, set_schedule
from regsys.events.services.waiting import WaitingPlan, let_run, set_waiting

__all__ = [
    "Basics",
    "LeaderFacts",
    "Meeting",
    "OptionPlan",
    "Part",
    "PlacesPlan",
    "Schedule",
    "TypePlan",
    "VenueFacts",
    "WaitingPlan",
    "call_off_with_people",
    "cancel_event",
    "change_event",
    "close_event",
    "copy_event",
    "create_event",
    "fit_pool",
    "hide_event",
    "let_run",
    "make_option_pool",
    "publish_event",
    "renew_private_key",
    "reopen_event",
    "save_leader",
    "save_venue",
    "set_leaders",
    "set_options",
    "set_places",
    "set_refunds",
    "set_schedule",
    "set_waiting",
]
