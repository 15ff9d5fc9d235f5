"""Leaders, their part in an event, and venues."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    FieldList,
    FormField,
    RadioField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import Email, InputRequired

from regsys.events.forms.parts import options
from regsys.events.kinds import LeaderLevel, LeaderRole, PublicContact
from regsys.events.models import Event, Leader, Venue
from regsys.events.services import LeaderFacts, Part, VenueFacts
from regsys.web.fields import LISTED, Row, VersionedForm, given, whole
from regsys.web.forms import AtMost, BaseForm

MOST_ROWS = 60
NEEDED = InputRequired(_l("Please fill this in."))


class PartRow(Row):
    """One leader in an event; a row without a name is none."""

    leader = SelectField(_l("Who"), coerce=int, default=0, validate_choice=True, **LISTED)
    role = SelectField(
        _l("As"),
        choices=lambda: options(LeaderRole),
        coerce=LeaderRole,
        default=LeaderRole.LEADER,
        **LISTED,
    )
    position = whole(_l("Order"), 1, 99)
    public = BooleanField(_l("Shown on the page"), default=True)
    remove = BooleanField(_l("Remove"))


class LeadersForm(VersionedForm):
    """Who leads an event."""

    parts = FieldList(FormField(PartRow), max_entries=MOST_ROWS)

    @classmethod
    def of(cls, event: Event, leaders: Sequence[Leader]) -> "LeadersForm":
        """Return the form of an event; on a POST what was typed comes first."""
        rows = [
            {"leader": a.leader_id, "role": a.role, "position": n, "public": a.public}
            for n, a in enumerate(event.assignments, start=1)
        ]
        form = cls(version=event.version, parts=rows)
        form.names = [(0, _("Nobody")), *((x.id, _name(x)) for x in leaders)]
        form.offer_names()
        return form

    names: list[tuple[int, str]]

    def offer_names(self) -> None:
        """Let every row choose among all leaders."""
        for row in self.parts:
            row.form.leader.choices = self.names

    def add_row(self) -> None:
        """Add an empty row."""
        if len(self.parts) < MOST_ROWS:
            self.parts.append_entry()
            self.offer_names()

    def facts(self) -> list[Part]:
        """Return what `set_leaders` takes, in order."""
        rows = [r.form for r in self.parts if r.form.leader.data and not r.form.remove.data]
        rows.sort(key=lambda r: r.position.data or 100)
        return [Part(leader_id=r.leader.data, role=r.role.data, public=r.public.data) for r in rows]


def _name(leader: Leader) -> str:
    return ", ".join(x for x in (leader.name, leader.credentials) if x)


class LeaderForm(BaseForm):
    """Somebody who leads, and what visitors see of them."""

    first_name = StringField(_l("First name"), (NEEDED, AtMost(100)))
    last_name = StringField(_l("Last name"), (NEEDED, AtMost(100)))
    credentials = StringField(_l("Letters after the name"), (AtMost(80),))
    profession = StringField(_l("Profession"), (AtMost(120),))
    level = SelectField(
        _l("Recognised as"),
        (NEEDED,),
        choices=lambda: options(LeaderLevel),
        coerce=LeaderLevel,
        default=LeaderLevel.LEADER_IN_TRAINING,
        **LISTED,
    )
    discipline = SelectField(
        _l("Discipline"),
        choices=lambda: [
            ("", _l("Not said")),
            ("medical", _l("Medical")),
            ("behavioral", _l("Behavioral")),
            ("other", _l("Other")),
        ],
        **LISTED,
    )
    email = EmailField(
        _l("E-mail"),
        (
            NEEDED,
            Email(_l("This does not look like an e-mail address."), allow_smtputf8=False),
            AtMost(254),
        ),
    )
    phone = TelField(_l("Phone"), (AtMost(40),))
    public_contact = RadioField(
        _l("How can visitors reach this leader?"),
        (NEEDED,),
        choices=lambda: [
            (PublicContact.NONE.value, _l("Not at all")),
            (PublicContact.FORM.value, _l("By a form that forwards and hides the address")),
            (PublicContact.EMAIL.value, _l("By e-mail: the address is shown")),
            (PublicContact.PHONE.value, _l("By phone: the number is shown")),
        ],
        coerce=PublicContact,
        default=PublicContact.FORM,
        **LISTED,
    )
    bio = TextAreaField(_l("A few sentences"), (AtMost(3000),), render_kw={"rows": 5})

    def validate(self, extra_validators: Any = None) -> bool:
        fine = super().validate(extra_validators)
        if self.public_contact.data is PublicContact.PHONE and not self.phone.data:
            self.phone.errors = [*self.phone.errors, _("Please write the number that is shown.")]
            fine = False
        return fine

    def facts(self) -> LeaderFacts:
        """Return what `save_leader` takes."""
        facts: dict[str, Any] = {k: self[k].data or "" for k in LeaderFacts.__dataclass_fields__}
        return LeaderFacts(**facts)


class VenueForm(BaseForm):
    """A house or hall."""

    name = StringField(_l("Name"), (NEEDED, AtMost(200)))
    address = StringField(_l("Address"), (AtMost(300),))
    city = StringField(_l("Town"), (AtMost(120),))
    step_free = RadioField(
        _l("Can one get in without steps?"),
        choices=lambda: [("yes", _l("Yes")), ("no", _l("No")), ("", _l("Not known"))],
        default="",
        **LISTED,
    )
    access_note = StringField(_l("What else about access"), (AtMost(500),))

    @classmethod
    def of(cls, venue: Venue | None) -> "VenueForm":
        """Return the form of a venue; on a POST what was typed comes first."""
        if venue is None:
            return cls()
        step_free = {True: "yes", False: "no", None: ""}[venue.step_free]
        return cls(
            name=venue.name,
            address=venue.address,
            city=venue.city,
            step_free=step_free,
            access_note=venue.access_note,
        )

    def facts(self) -> VenueFacts:
        """Return what `save_venue` takes."""
        return VenueFacts(
            name=given(self.name),
            address=self.address.data or "",
            city=self.city.data or "",
            step_free={"yes": True, "no": False}.get(self.step_free.data),
            access_note=self.access_note.data or "",
        )
