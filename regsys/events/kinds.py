"""The field's words for events and the people who lead them (docs/glossary.md)."""

from collections.abc import Mapping
from enum import StrEnum

from regsys.kernel.text import N_


class EventKind(StrEnum):
    """What sort of event it is; each changes behaviour, not just a label."""

    LEADERSHIP_TRAINING_INTENSIVE = "leadership_training_intensive"
    INTENSIVE_ON_THE_ROAD = "intensive_on_the_road"
    BALINT_WEEKEND = "balint_weekend"
    OPEN_ENROLLMENT_GROUP = "open_enrollment_group"
    ROTATING_LEADER_GROUP = "rotating_leader_group"
    INTRODUCTORY_DEMONSTRATION = "introductory_demonstration"
    OTHER = "other"


GROUP_KINDS = frozenset({EventKind.OPEN_ENROLLMENT_GROUP, EventKind.ROTATING_LEADER_GROUP})


class EventMode(StrEnum):
    """Where people meet."""

    IN_PERSON = "in_person"
    ONLINE = "online"
    HYBRID = "hybrid"


class Visibility(StrEnum):
    """Who finds the page."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    PRIVATE_LINK = "private_link"
    MEMBERS = "members"


class Enrollment(StrEnum):
    """How one gets a place."""

    OPEN = "open"
    APPLICATION = "application"
    HOST_APPROVES = "host_approves"
    EXTERNAL = "external"
    CONTACT_LEADER = "contact_leader"


class Rate(StrEnum):
    """Column of the price grid; decided when the hold is made."""

    EARLY = "early"
    REGULAR = "regular"


class Proof(StrEnum):
    """What somebody has to show for a ticket type: a member by a mailed link, a trainee by their own word."""

    NONE = "none"
    MEMBER = "member"
    TRAINEE = "trainee"


class LeaderLevel(StrEnum):
    """What the society recognises."""

    MEMBER = "member"
    LEADER_IN_TRAINING = "leader_in_training"
    CREDENTIALED_LEADER = "credentialed_leader"
    SUPERVISOR = "supervisor"


class LeaderRole(StrEnum):
    """What a leader does in one event."""

    DIRECTOR = "director"
    FACULTY = "faculty"
    LEADER = "leader"
    CO_LEADER = "co_leader"
    LEADER_IN_TRAINING = "leader_in_training"
    SUPERVISOR = "supervisor"


class PublicContact(StrEnum):
    """What a leader lets visitors see; `form` forwards without revealing the address."""

    NONE = "none"
    EMAIL = "email"
    PHONE = "phone"
    FORM = "form"


class OptionKind(StrEnum):
    """What somebody can choose with a place; a room may have a refund rule of its own."""

    ROOM = "room"
    MEAL = "meal"
    OTHER = "other"


class InvoiceTerms(StrEnum):
    """Whether an employer may pay by invoice; confirmed: the place is theirs at once, held: until it is paid."""

    NONE = "none"
    CONFIRMED = "confirmed"
    HELD = "held"


NAMES: Mapping[StrEnum, str] = {
    OptionKind.ROOM: N_("Room"),
    OptionKind.MEAL: N_("Meal"),
    OptionKind.OTHER: N_("Something else"),
    EventKind.LEADERSHIP_TRAINING_INTENSIVE: N_("Leadership Training Intensive"),
    EventKind.INTENSIVE_ON_THE_ROAD: N_("Intensive on the Road"),
    EventKind.BALINT_WEEKEND: N_("Balint weekend"),
    EventKind.OPEN_ENROLLMENT_GROUP: N_("Open-enrollment group"),
    EventKind.ROTATING_LEADER_GROUP: N_("Rotating-leader group"),
    EventKind.INTRODUCTORY_DEMONSTRATION: N_("Introductory demonstration"),
    EventKind.OTHER: N_("Other event"),
    EventMode.IN_PERSON: N_("In person"),
    EventMode.ONLINE: N_("Online"),
    EventMode.HYBRID: N_("In person and online"),
    Proof.NONE: N_("Nothing"),
    Proof.MEMBER: N_("That they are a member"),
    Proof.TRAINEE: N_("That they are in training"),
    LeaderLevel.MEMBER: N_("Member"),
    LeaderLevel.LEADER_IN_TRAINING: N_("Leader in training"),
    LeaderLevel.CREDENTIALED_LEADER: N_("Credentialed leader"),
    LeaderLevel.SUPERVISOR: N_("Supervisor"),
    LeaderRole.DIRECTOR: N_("Director"),
    LeaderRole.FACULTY: N_("Faculty"),
    LeaderRole.LEADER: N_("Leader"),
    LeaderRole.CO_LEADER: N_("Co-leader"),
}
