"""Shapes of what organizers agree with a host, and of the names that come onto seats."""

from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, RadioField, SelectField
from wtforms.validators import DataRequired, InputRequired, Optional

from regsys.events.models import Event
from regsys.hosts.kinds import NAMES, Pays
from regsys.hosts.models import Host
from regsys.hosts.rules import MOST_SEATS
from regsys.hosts.services import HostPlan
from regsys.kernel import money
from regsys.kernel.zones import moment, wall_time
from regsys.registration.forms import PersonForm as PersonForm
from regsys.registration.forms import text
from regsys.registration.services import Person
from regsys.web.fields import LISTED, AmountField, DayField, refuse
from regsys.web.forms import Between


def person_of(form: PersonForm) -> Person:
    """Return who is named in a form that was checked."""
    return Person(form.first_name.data or "", form.last_name.data or "", form.email.data or "")


class HostForm(PersonForm):
    """What was agreed with a host."""

    organisation = text(
        _l("Organisation"), 200, "off", wanted=_l("Write the name of the organisation.")
    )
    seats = IntegerField(
        _l("Seats"),
        [
            InputRequired(_l("Please write a whole number.")),
            Between(1, MOST_SEATS, _l("Please write a whole number from 1 to 60.")),
        ],
        description=_l("Places of the event are kept for them from now on."),
        render_kw={"inputmode": "numeric"},
    )
    ticket_type = SelectField(_l("Kind of place"), [DataRequired()], coerce=int, **LISTED)
    pays = RadioField(
        _l("Who pays?"),
        [InputRequired(_l("Please choose one."))],
        choices=lambda: [(one.value, _(NAMES[one])) for one in Pays],
        coerce=Pays,
        default=Pays.HOST,
        **LISTED,
    )
    agreed_sum = AmountField(
        _l("Agreed price for all seats together"),
        [Optional()],
        description=_l(
            "If the host pays. Left empty, each named seat costs what its kind of place costs."
        ),
        render_kw={"inputmode": "decimal"},
    )
    names_until = DayField(
        _l("Names can be put on seats and swapped until the end of"),
        [Optional()],
        description=_l("Left empty: until it begins."),
    )
    kept_until = DayField(
        _l("Seats without a name are let go at the end of"),
        [Optional()],
        description=_l("Left empty: they are kept to the end."),
    )

    @classmethod
    def of(cls, event: Event, host: Host | None) -> "HostForm":
        """Return the form of an event's host; on a POST what was typed comes first."""
        form = cls(data=_given(event, host) if host else None)
        form.ticket_type.choices = [(t.id, t.name) for t in event.ticket_types if t.prices]
        return form

    def plan(self, event: Event) -> HostPlan | None:
        """Return what `set_host` takes; None where an amount is none."""
        agreed = self.agreed_sum.minor_units(event.currency)
        if self.pays.data is Pays.EACH and agreed is not None:
            refuse(self.agreed_sum, _("Where each person pays, there is no price for all."))
        if self.agreed_sum.errors:
            return None
        person = person_of(self)
        return HostPlan(
            organisation=self.organisation.data or "",
            first_name=person.first_name,
            last_name=person.last_name,
            email=person.email,
            seats=self.seats.data or 1,
            ticket_type_id=self.ticket_type.data,
            pays=self.pays.data,
            agreed_sum=agreed,
            names_until=_end_of(self.names_until.data, event.time_zone),
            kept_until=_end_of(self.kept_until.data, event.time_zone),
        )


def _given(event: Event, host: Host) -> dict[str, Any]:
    zone, agreed = event.time_zone, host.agreed_sum
    names = ("organisation", "first_name", "last_name", "email", "seats", "pays")
    return {
        **{name: getattr(host, name) for name in names},
        "ticket_type": host.ticket_type_id,
        "agreed_sum": "" if agreed is None else money.plain(agreed, event.currency),
        "names_until": _day_of(host.names_until, zone),
        "kept_until": _day_of(host.kept_until, zone),
    }


def _end_of(day: date | None, zone: str) -> datetime | None:
    """Return the first moment after a day."""
    if day is None:
        return None
    return moment(datetime.combine(day + timedelta(days=1), time()), zone).at


def _day_of(end: datetime | None, zone: str) -> date | None:
    """Return the day that ends at a moment."""
    return wall_time(end - timedelta(minutes=1), zone).date() if end else None
