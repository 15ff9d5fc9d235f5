"""Shape of what organizers type about events."""

from regsys.events.forms.basics import (
    BasicsForm,
    CodeForm,
    CopyForm,
    NewEventForm,
    PublishForm,
    ReasonForm,
)
from regsys.events.forms.options import OptionsForm
from regsys.events.forms.people import LeaderForm, LeadersForm, VenueForm
from regsys.events.forms.places import PlacesForm
from regsys.events.forms.refunds import RefundsForm, Trial
from regsys.events.forms.schedule import ScheduleForm

__all__ = [
    "BasicsForm",
    "CodeForm",
    "CopyForm",
    "LeaderForm",
    "LeadersForm",
    "NewEventForm",
    "OptionsForm",
    "PlacesForm",
    "PublishForm",
    "ReasonForm",
    "RefundsForm",
    "ScheduleForm",
    "Trial",
    "VenueForm",
]
