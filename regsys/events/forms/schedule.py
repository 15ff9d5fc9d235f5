"""When and where: the zone, the place, and the sessions, one by one or as a series."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    RadioField,
    SelectField,
    StringField,
    URLField,
)
from wtforms.validators import InputRequired

from regsys.events import rules
from regsys.events.forms.parts import options
from regsys.events.kinds import EventMode
from regsys.events.models import Event, Session, Venue
from regsys.events.services import Meeting, Schedule
from regsys.kernel.zones import names, wall_time
from regsys.web.fields import (
    LISTED,
    DayField,
    HourField,
    Row,
    VersionedForm,
    Wall,
    WallField,
    given,
    id_of,
    refuse,
    row_id,
    web_address,
    whole,
)
from regsys.web.forms import AtMost

LONGEST_NIGHT = timedelta(hours=12)
MOST_ROWS = 150
NEEDED = InputRequired(_l("Please fill this in."))


class MeetingRow(Row):
    """One session; an empty row is none."""

    row = row_id()
    day = DayField(_l("Day"))
    starts = HourField(_l("From"))
    ends = HourField(_l("To"))
    title = StringField(_l("What happens"), (AtMost(200),))
    room = StringField(_l("Room"), (AtMost(120),))
    credit_minutes = whole(_l("Credit minutes"), 0, 1440)
    remove = BooleanField(_l("Remove"))

    def counts(self) -> bool:
        """Tell whether something was typed, and nothing says that it should go."""
        typed = (self.day, self.starts, self.ends, self.title)
        return not self.remove.data and any(f.data or f.errors for f in typed)

    def check(self) -> bool:
        """Complain about what a session lacks."""
        for field in (self.day, self.starts, self.ends, self.title):
            if not field.data and field.data != time(0) and not field.errors:
                refuse(field, _("Please fill this in."))
        fine = not self.errors and not any(f.errors for f in self)
        if fine and self.span()[1] - self.span()[0] > LONGEST_NIGHT and self.is_over_midnight():
            refuse(self.ends, _("It would end before it begins. Is one of them AM for PM?"))
            return False
        return fine

    def is_over_midnight(self) -> bool:
        return bool(given(self.ends) <= given(self.starts))

    def span(self) -> tuple[datetime, datetime]:
        """Return the wall times; an end before the beginning is on the next day."""
        start = datetime.combine(given(self.day), given(self.starts))
        end = datetime.combine(given(self.day), given(self.ends))
        return start, end + timedelta(days=1 if self.is_over_midnight() else 0)


class ScheduleForm(VersionedForm):
    """When and where an event is."""

    mode = RadioField(
        _l("Where do people meet?"),
        (NEEDED,),
        choices=lambda: options(EventMode),
        coerce=EventMode,
        **LISTED,
    )
    venue = SelectField(_l("House or hall"), coerce=int, default=0, **LISTED)
    join_link = URLField(
        _l("Link for joining online"),
        (AtMost(1000), web_address),
        description=_l("Only people with a confirmed place see it."),
    )
    time_zone = SelectField(
        _l("Time zone"), choices=lambda: [(z, z.replace("_", " ")) for z in names()], **LISTED
    )
    starts = WallField(_l("Begins"))
    ends = WallField(_l("Ends"))
    meetings = FieldList(FormField(MeetingRow), max_entries=MOST_ROWS)

    series_day = DayField(_l("First day"))
    series_starts = HourField(_l("From"))
    series_ends = HourField(_l("To"))
    series_every = SelectField(
        _l("How often"),
        choices=lambda: [
            (rules.Every.WEEK.value, _l("Every week")),
            (rules.Every.TWO_WEEKS.value, _l("Every two weeks")),
            (rules.Every.MONTH.value, _l("Monthly, like the second Tuesday")),
            (rules.Every.LAST_OF_MONTH.value, _l("Monthly, like the last Tuesday")),
        ],
        coerce=rules.Every,
        default=rules.Every.WEEK,
        **LISTED,
    )
    series_count = whole(_l("How many meetings"), 1, 60)
    series_title = StringField(_l("Called"), (AtMost(180),), default=lambda: _("Meeting"))
    series_room = StringField(_l("Room"), (AtMost(120),))

    @classmethod
    def of(cls, event: Event, venues: Sequence[Venue]) -> "ScheduleForm":
        """Return the form of an event; on a POST what was typed comes first."""
        zone = event.time_zone
        form = cls(
            version=event.version,
            mode=event.mode,
            venue=event.venue_id or 0,
            join_link=event.join_link or "",
            time_zone=zone,
            starts=wall_time(event.starts_at, zone),
            ends=wall_time(event.ends_at, zone),
            meetings=[_row(s, zone) for s in event.sessions],
        )
        places = [(v.id, f"{v.name}, {v.city}" if v.city else v.name) for v in venues]
        form.venue.choices = [(0, _("None, or not known yet")), *places]
        return form

    def add_row(self) -> None:
        """Add an empty session."""
        if len(self.meetings) < MOST_ROWS:
            self.meetings.append_entry()

    def add_series(self) -> bool:
        """Add the meetings of a series as rows, to be looked at and saved; complain at what is missing."""
        needed = (self.series_day, self.series_starts, self.series_ends, self.series_count)
        checked = [f.validate(self) for f in (*needed, self.series_every, self.series_title)]
        for field in needed:
            if field.data is None and not field.errors:
                refuse(field, _("Please fill this in."))
        if not all(checked) or any(f.errors for f in needed):
            return False
        self._drop_empty_rows()
        known = len(self.meetings)
        days = rules.repeat(
            given(self.series_day), given(self.series_every), given(self.series_count)
        )
        for i, day in enumerate(days, start=1):
            if known + i > MOST_ROWS:
                break
            self.meetings.append_entry(self._row_of(day, known + i))
        return True

    def _row_of(self, day: Any, number: int) -> dict[str, Any]:
        return {
            "day": day,
            "starts": self.series_starts.data,
            "ends": self.series_ends.data,
            "title": f"{self.series_title.data or _('Meeting')} {number}",
            "room": self.series_room.data,
        }

    def _drop_empty_rows(self) -> None:
        self.meetings.entries = [row for row in self.meetings if row.form.counts()]

    def validate(self, extra_validators: Any = None) -> bool:
        fine = super().validate(extra_validators)
        rows = [row.form for row in self.meetings if row.form.counts()]
        checked = [row.check() for row in rows]
        fine = all(checked) and fine
        if not rows:
            for field in (self.starts, self.ends):
                if field.data is None and not field.errors:
                    refuse(field, _("Please fill this in, or add a session."))
                    fine = False
        return fine

    def facts(self, event: Event) -> tuple[Schedule, list[str]]:
        """Return what `set_schedule` takes, and what the clocks did to the times."""
        wall = Wall(self.time_zone.data)
        stored = {s.id: s for s in event.sessions} if wall.zone == event.time_zone else {}
        rows = [row.form for row in self.meetings if row.form.counts()]
        meetings = [_meeting(row, wall, stored.get(id_of(row.row) or 0)) for row in rows]
        plan = Schedule(
            mode=self.mode.data,
            time_zone=wall.zone,
            venue_id=self.venue.data or None,
            join_link=self.join_link.data,
            starts_at=wall.at(given(self.starts), event.starts_at) if not rows else event.starts_at,
            ends_at=wall.at(given(self.ends), event.ends_at) if not rows else event.ends_at,
            meetings=meetings,
        )
        return plan, wall.remarks


def _row(session: Session, zone: str) -> dict[str, Any]:
    start, end = wall_time(session.starts_at, zone), wall_time(session.ends_at, zone)
    return {
        "row": session.id,
        "day": start.date(),
        "starts": start.time(),
        "ends": end.time(),
        "title": session.title,
        "room": session.room,
        "credit_minutes": session.credit_minutes or None,
    }


def _meeting(row: MeetingRow, wall: Wall, stored: Session | None) -> Meeting:
    start, end = row.span()
    if row.is_over_midnight():
        wall.remarks.append(_("“%(title)s” ends on the next day.", title=row.title.data))
    return Meeting(
        id=id_of(row.row),
        starts_at=wall.at(start, stored.starts_at if stored else None),
        ends_at=wall.at(end, stored.ends_at if stored else None),
        title=given(row.title),
        room=row.room.data or "",
        credit_minutes=row.credit_minutes.data or 0,
    )
