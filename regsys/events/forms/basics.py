"""The first form of an event, and its basics."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    URLField,
)
from wtforms.validators import Email, InputRequired, Optional

from regsys.events.forms.parts import options
from regsys.events.kinds import Enrollment, EventKind, EventMode, Visibility
from regsys.events.services import Basics
from regsys.kernel.zones import names
from regsys.web.fields import (
    LISTED,
    DayField,
    VersionedForm,
    Wall,
    WallField,
    given,
    refuse,
    web_address,
    whole,
)
from regsys.web.forms import AtMost, BaseForm

NEEDED = InputRequired(_l("Please fill this in."))


class NewEventForm(BaseForm):
    """The least that makes a draft."""

    kind = SelectField(
        _l("What kind of event is it?"),
        (NEEDED,),
        choices=lambda: options(EventKind),
        coerce=EventKind,
        **LISTED,
    )
    title = StringField(_l("Title"), (NEEDED, AtMost(200)))
    mode = RadioField(
        _l("Where do people meet?"),
        (NEEDED,),
        choices=lambda: options(EventMode),
        coerce=EventMode,
        default=EventMode.IN_PERSON,
        **LISTED,
    )
    time_zone = SelectField(
        _l("Time zone"),
        (NEEDED,),
        choices=lambda: [(z, z.replace("_", " ")) for z in names()],
        description=_l("All times of the event are typed and shown in it."),
        **LISTED,
    )
    starts = WallField(_l("Begins"), (NEEDED,))
    ends = WallField(_l("Ends"), (NEEDED,))

    def facts(self) -> tuple[dict[str, Any], list[str]]:
        """Return what `create_event` takes, and what the clocks did to the times."""
        wall = Wall(self.time_zone.data)
        facts = {
            "title": self.title.data,
            "kind": self.kind.data,
            "mode": self.mode.data,
            "time_zone": self.time_zone.data,
            "starts_at": wall.at(given(self.starts)),
            "ends_at": wall.at(given(self.ends)),
        }
        return facts, wall.remarks

    def validate(self, extra_validators: Any = None) -> bool:
        fine = super().validate(extra_validators)
        if fine and given(self.ends) < given(self.starts):
            refuse(self.ends, _("It would end before it begins."))
            fine = False
        return fine


class BasicsForm(VersionedForm):
    """What an event is called and says."""

    title = StringField(_l("Title"), (NEEDED, AtMost(200)))
    kind = SelectField(_l("Kind"), choices=lambda: options(EventKind), coerce=EventKind, **LISTED)
    slug = StringField(
        _l("Address of its page"),
        (AtMost(80),),
        description=_l("Letters, digits and hyphens. It stays once the event was published."),
        render_kw={"autocapitalize": "none", "spellcheck": "false"},
    )
    summary = StringField(
        _l("One sentence about it"), (AtMost(500),), description=_l("It stands under the title.")
    )
    description = TextAreaField(
        _l("What it is"),
        (AtMost(),),
        description=_l(
            "Leave an empty line between paragraphs. Markdown works: **strong**, *emphasis*, lists."
        ),
        render_kw={"rows": 10},
    )
    included = TextAreaField(
        _l("What is included"),
        (AtMost(5000),),
        description=_l("One thing on each line."),
        render_kw={"rows": 4},
    )
    credit = StringField(
        _l("Credit hours"),
        (AtMost(300),),
        description=_l("In your words; left empty, the hours of the schedule are shown."),
    )
    refund_terms = TextAreaField(
        _l("If somebody cannot come"),
        (AtMost(5000),),
        description=_l("In words, where the event has no refund rules (see “Refunds”)."),
        render_kw={"rows": 4},
    )
    contact_email = EmailField(
        _l("Questions go to"),
        (
            Optional(),
            Email(_l("This does not look like an e-mail address."), allow_smtputf8=False),
            AtMost(254),
        ),
        description=_l("Shown on the page; left empty, the address of the society."),
    )
    visibility = RadioField(
        _l("Who finds the page?"),
        (NEEDED,),
        choices=lambda: [
            (Visibility.PUBLIC.value, _l("Everybody: it stands in the list of events")),
            (Visibility.UNLISTED.value, _l("Whoever knows its address: it stands in no list")),
            (Visibility.PRIVATE_LINK.value, _l("Only people with a private link")),
            (
                Visibility.MEMBERS.value,
                _l("Members, who show by a mailed link that they are"),
            ),
        ],
        coerce=Visibility,
        **LISTED,
    )
    enrollment = RadioField(
        _l("How does one get a place?"),
        (NEEDED,),
        choices=lambda: [
            (Enrollment.OPEN.value, _l("By registering here; it is theirs at once")),
            (
                Enrollment.APPLICATION.value,
                _l("By applying: reviewers decide, and whoever is accepted pays then"),
            ),
            (
                Enrollment.HOST_APPROVES.value,
                _l("When the host’s coordinator agrees (see “Host”)"),
            ),
            (Enrollment.EXTERNAL.value, _l("Elsewhere: the page shows a link")),
            (
                Enrollment.CONTACT_LEADER.value,
                _l("By writing to the leader; nothing is sold here"),
            ),
        ],
        coerce=Enrollment,
        **LISTED,
    )
    external_name = StringField(
        _l("If elsewhere: who registers people?"), (AtMost(200),), description=_l("A name.")
    )
    external_url = URLField(_l("If elsewhere: at which address?"), (AtMost(500), web_address))
    cost_note = StringField(
        _l("If nothing is sold here: what does it cost?"),
        (AtMost(200),),
        description=_l("In words, such as “agreed with the leader”."),
    )
    roster_days_before = whole(
        _l("Days before the start on which leaders are mailed the list of people"),
        0,
        60,
        description=_l("Left empty, the list is mailed only when somebody asks for it."),
    )

    def facts(self) -> Basics:
        """Return what `change_event` takes."""
        given = {f.short_name: f.data for f in self}
        return Basics(**{k: given[k] for k in Basics.__dataclass_fields__ if k in given})


class ReasonForm(BaseForm):
    """Why something is done."""

    reason = StringField(_l("Why?"), (AtMost(500),))


class PublishForm(VersionedForm):
    """Publishing; a group may go without a leader for a reason."""

    waiver = StringField(
        _l("Publish it without a leader, because"),
        (AtMost(500),),
        description=_l("Your reason is written down with your name."),
    )


class CopyForm(BaseForm):
    """The same event once more."""

    title = StringField(_l("Title of the copy"), (NEEDED, AtMost(200)))
    first_day = DayField(_l("First day of the copy"), (NEEDED,))
    with_leaders = BooleanField(_l("With the same leaders"), default=True)


class CodeForm(BaseForm):
    """The code of a private event."""

    code = StringField(
        _l("The code"),
        (InputRequired(_l("Write the code that you were given.")), AtMost(80)),
        render_kw={"autocapitalize": "characters", "autocomplete": "off", "spellcheck": "false"},
    )
