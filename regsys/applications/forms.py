"""Shapes of what applicants and reviewers type."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Optional

from regsys.applications.rules import Decision
from regsys.applications.services import Terms
from regsys.events.kinds import GROUP_KINDS
from regsys.events.models import Event
from regsys.kernel.zones import wall_time
from regsys.pathway.kinds import NAMES, Need
from regsys.pathway.rules import Want
from regsys.questions.queries import Entry
from regsys.registration.forms import PersonForm, text
from regsys.web.fields import LISTED, DayField, VersionedForm, Wall, WallField, whole
from regsys.web.forms import AtMost, BaseForm, Between

Types = Sequence[tuple[int, str]]


class ApplicantForm(PersonForm):
    """Who applies, and for which place."""

    first_name = text(_l("First name"), 100, "given-name", wanted=_l("Write your first name."))
    last_name = text(_l("Last name"), 100, "family-name", wanted=_l("Write your last name."))
    ticket_type = RadioField(
        _l("Which place are you applying for?"),
        [InputRequired(_l("Choose a place."))],
        coerce=int,
        validate_choice=True,
    )


def build_applicant(types: Types, *, known: bool = False, **options: Any) -> ApplicantForm:
    """Return the form; `known`: the address is known and stays."""
    form = ApplicantForm(**options)
    form.ticket_type.choices = list(types)
    form.email.render_kw = {"autocomplete": "email", "inputmode": "email"}
    if known:
        del form.email
    return form


def typed_of(form: "MultiDict[str, str]", entries: Iterable[Entry]) -> list[tuple[str, str]]:
    """Return what was typed, as a draft keeps it: private answers, tokens and buttons are left out."""
    private = {f"q_{e.question.key}" for e in entries if e.question.sensitive}
    left_out = {*private, "csrf_token", "do", "quiet"}
    pairs = [(k, v) for k, v in form.items(multi=True) if k not in left_out]
    return [(k[:100], v[:20_000]) for k, v in pairs][:400]


class ReviewForm(BaseForm):
    """What one reviewer thinks."""

    seen = IntegerField(default=0, validators=(Optional(),))
    score = RadioField(
        _l("Your score"),
        [Optional()],
        choices=lambda: [
            ("", _("None")),
            ("1", _("1, no")),
            ("2", "2"),
            ("3", "3"),
            ("4", "4"),
            ("5", _("5, by all means")),
        ],
        default="",
    )
    note = TextAreaField(
        _l("Your note"),
        [AtMost(5000)],
        description=_l("Only reviewers of this event read it, and it is kept encrypted."),
        render_kw={"rows": 4},
    )


class DecisionForm(BaseForm):
    """The words that go into the letters."""

    words = TextAreaField(_l("A few words of your own"), [AtMost(3000)], render_kw={"rows": 4})

    @classmethod
    def of(cls, decision: Decision, **options: Any) -> "DecisionForm":
        """Return the form; whoever asks back has to ask something."""
        form = cls(**options)
        if decision is Decision.ASK:
            form.words.label.text = _("Your question")
            form.words.description = _("It stands in the letter, and on the applicant’s page.")
            form.words.validators = [
                DataRequired(_l("Write what you would like to know.")),
                *form.words.validators,
            ]
            form.words.flags.required = True
        else:
            form.words.description = _("They stand in every one of these letters; may be empty.")
        return form


class WithdrawForm(BaseForm):
    """Why an application is withdrawn for somebody."""

    reason = StringField(_l("Why"), [InputRequired(_l("Say why, in a few words.")), AtMost(300)])


class AttestForm(BaseForm):
    """What somebody knows of an applicant's past."""

    need = RadioField(
        _l("What do you know about?"),
        [InputRequired(_l("Please choose."))],
        choices=lambda: [(n.value, _(NAMES[n])) for n in Need],
        coerce=Need,
        **LISTED,
    )
    holds = RadioField(
        _l("Is it so?"),
        [InputRequired(_l("Please choose."))],
        choices=lambda: [("yes", _("Yes")), ("no", _("No, I have made sure of it"))],
        default="yes",
    )
    what = StringField(
        _l("What exactly"),
        [DataRequired(_l("Say what, in a few words.")), AtMost(300)],
        description=_l("Such as “Intensive in Oxford, 2019”, and how you know."),
    )
    on_day = DayField(_l("On which day, if you know"))
    until_day = DayField(_l("Until when it holds, if it ends"))

    @property
    def facts(self) -> dict[str, Any]:
        """Return what `attest` takes."""
        return {
            "need": Need(self.need.data),
            "holds": self.holds.data == "yes",
            "what": self.what.data or "",
            "on_day": self.on_day.data,
            "until_day": self.until_day.data,
        }


class TermsForm(VersionedForm):
    """How an event takes applications, and what it wants of people."""

    answer_by = WallField(
        _l("Applicants hear from us by"),
        description=_l("It stands on the page of the event, and on the applicants’ own."),
    )
    accept_hours = IntegerField(
        _l("Hours for which an accepted place is held"),
        [
            InputRequired(_l("Please write a whole number.")),
            Between(1, 2000, _l("Please write a whole number from 1 to 2000.")),
        ],
        render_kw={"inputmode": "numeric"},
    )
    edit_reopens = BooleanField(
        _l("When an applicant changes what they sent, the review begins again")
    )
    talk_first = BooleanField(
        _l("The leader talks with everybody first, and decides"),
        description=_l("Leaders are told by mail, and accept or decline in their own area."),
    )
    intensives = whole(
        _l("Intensives that people should have attended before"),
        0,
        9,
        description=_l("0 or empty: none is wanted."),
    )
    member = BooleanField(_l("They should be members of the society"))
    leads_group = BooleanField(_l("They should lead a group now"))

    required = BooleanField(
        _l("Nobody comes without it"),
        description=_l(
            "Who is known not to have it cannot apply and is told why; who is not known says so in their own words."
        ),
    )

    @classmethod
    def of(cls, event: Event, wants: Mapping[Need, int], *, required: bool) -> "TermsForm":
        """Return the form of an event; on a POST what was typed comes first."""
        zone = event.time_zone
        return cls(
            version=event.version,
            answer_by=wall_time(event.answer_by, zone) if event.answer_by else None,
            accept_hours=event.accept_hours,
            edit_reopens=event.edit_reopens,
            talk_first=event.talk_first,
            intensives=wants.get(Need.INTENSIVES),
            member=Need.MEMBER in wants,
            leads_group=Need.LEADS_GROUP in wants,
            required=required,
        )

    def terms(self, event: Event) -> tuple[Terms, list[str]]:
        """Return what `set_terms` takes, and what the clocks did to the time."""
        wall = Wall(event.time_zone)
        terms = Terms(
            answer_by=wall.maybe(self.answer_by.data, event.answer_by),
            accept_hours=self.accept_hours.data or 1,
            edit_reopens=bool(self.edit_reopens.data),
            talk_first=bool(self.talk_first.data) and event.kind in GROUP_KINDS,
        )
        return terms, wall.remarks

    @property
    def wants(self) -> dict[Need, int]:
        """Return what the event wants of people."""
        chosen = {
            Need.INTENSIVES: self.intensives.data or 0,
            Need.MEMBER: int(self.member.data),
            Need.LEADS_GROUP: int(self.leads_group.data),
        }
        return {need: count for need, count in chosen.items() if count}


class AttestedForm(BaseForm):
    """What applicants say of what the event requires; fields are named `attest_<need>`."""

    @property
    def attested(self) -> dict[str, str]:
        """Return what they say, by need."""
        prefix = "attest_"
        named = [(n, f) for n, f in self._fields.items() if n.startswith(prefix)]
        return {n.removeprefix(prefix): f.data for n, f in named if f.data}


_ATTEST = {
    Need.INTENSIVES: _l("Which intensives have you attended, and when?"),
    Need.MEMBER: _l("Your member number, or since when you are a member"),
    Need.LEADS_GROUP: _l("Which group do you lead now?"),
}


def build_attested(wants: Iterable[Want], **options: Any) -> AttestedForm:
    """Return the form with one question for each thing that is required."""
    fields = {
        f"attest_{w.need}": StringField(
            _ATTEST[w.need],
            [
                DataRequired(_l("Please say so in a few words; this event requires it.")),
                AtMost(300),
            ],
        )
        for w in wants
        if w.required
    }
    made: AttestedForm = type("ThisAttested", (AttestedForm,), fields)(**options)
    return made
