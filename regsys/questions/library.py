"""The questions that societies like this one usually ask, as data: organizers take them into an event and change them.

Profession, letters after the name, workplace and time zone are not here: the registration form asks them of everybody.
Nothing here asks for a case, and the help of the open questions says so.
"""

from dataclasses import dataclass
from typing import Any

from regsys.questions.kinds import Audience, QuestionType, Stage

Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """One usual question; fields as in `Question`."""

    key: str
    type: QuestionType
    label: str
    column_title: str
    help: str = ""
    terms: str = ""
    required: bool = False
    stage: Stage = Stage.REGISTER
    choices: Choices = ()
    show_if: dict[str, Any] | None = None
    visible_to: Audience = Audience.ORGANIZER
    sensitive: bool = False
    delete_after_days: int | None = None


# What the committee for help with the fee is shown, besides the profession: the question with this key.
CAREER_STAGE = "career_stage"
NO_PATIENTS = "Never type details of a patient into this form."
_T, _A = QuestionType, Audience

ABOUT_THEM = (
    Suggestion(
        key=CAREER_STAGE,
        type=_T.ONE_CHOICE,
        label="Where are you in your career?",
        column_title="Career stage",
        required=True,
        choices=(
            ("student", "Student"),
            ("resident", "Resident"),
            ("fellow", "Fellow"),
            ("trainee", "In another training"),
            ("practicing", "In practice"),
            ("faculty", "Teaching"),
            ("retired", "Retired"),
        ),
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="years_in_practice",
        type=_T.NUMBER,
        label="How many years have you been in practice?",
        column_title="Years in practice",
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="department",
        type=_T.SHORT_TEXT,
        label="In which department do you work?",
        column_title="Department",
        required=True,
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="balint_experience",
        type=_T.ONE_CHOICE,
        label="What is your experience with Balint groups so far?",
        column_title="Experience",
        required=True,
        choices=(
            ("none", "None yet"),
            ("group_member", "I am or was in a group"),
            ("co_led_without_training", "I have co-led a group, without training"),
            ("one_intensive", "One intensive"),
            ("two_intensives", "Two intensives or more"),
            ("credentialed_leader", "I am a credentialed leader"),
        ),
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="intensives_attended",
        type=_T.SHORT_TEXT,
        label="Which intensives have you been to (place and year)?",
        column_title="Intensives attended",
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="leads_group_now",
        type=_T.SHORT_TEXT,
        label="Do you lead or co-lead a group now? Where, and how often?",
        column_title="Leads a group",
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="goals",
        type=_T.LONG_TEXT,
        label="What do you hope to take home?",
        column_title="Goals",
        help=NO_PATIENTS,
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="heard_from",
        type=_T.ONE_CHOICE,
        label="How did you hear of this?",
        column_title="Heard from",
        choices=(
            ("colleague", "From a colleague"),
            ("newsletter", "From the newsletter"),
            ("residency", "From my residency program"),
            ("conference", "At a conference demonstration"),
            ("web", "By searching the web"),
            ("before", "I have been before"),
            ("other", "In another way"),
        ),
    ),
)

IN_THE_GROUP = (
    Suggestion(
        key="intends_to_lead",
        type=_T.ONE_CHOICE,
        label="Would you like a turn at leading during the event?",
        column_title="Would lead",
        choices=(("yes", "Yes"), ("maybe", "Perhaps"), ("no", "No")),
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="track",
        type=_T.ONE_CHOICE,
        label="Which intensive is this for you?",
        column_title="Track",
        choices=(
            ("first_intensive", "My first"),
            ("continuing", "I am continuing"),
            ("credentialing_intensive", "The one for my credential"),
        ),
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="group_choice",
        type=_T.ONE_CHOICE,
        label="Which kind of small group would you like?",
        column_title="Kind of group",
        choices=(
            ("case_group", "A case group"),
            ("leadership_practice_group", "A group for practising leadership"),
        ),
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="willing_to_present",
        type=_T.YES_NO,
        label="Would you bring a case if asked?",
        column_title="Would present",
        help=f"Do not write the case here. {NO_PATIENTS}",
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="co_lead_with",
        type=_T.SHORT_TEXT,
        label="Are you coming with someone you will co-lead with?",
        column_title="Co-leads with",
        help="We note the wish; learning is often better in different groups.",
    ),
    Suggestion(
        key="keep_apart",
        type=_T.LONG_TEXT,
        label="Is anyone attending with whom you should not share a small group?",
        column_title="Keep apart",
        help="A partner, a patient or therapist, your supervisor or supervisee. Read by the steward of the groups "
        "only, not by organizers or leaders; no reason needed.",
        visible_to=_A.STEWARD,
        sensitive=True,
        delete_after_days=30,
    ),
    Suggestion(
        key="leader_conflicts",
        type=_T.LONG_TEXT,
        label="Is there a leader who should not lead your group?",
        column_title="Leader conflicts",
        help="Read by the steward of the groups only, not by organizers or leaders; no reason needed.",
        visible_to=_A.STEWARD,
        sensitive=True,
        delete_after_days=30,
    ),
    Suggestion(
        key="supervision_hours_wanted",
        type=_T.YES_NO,
        label="Do you want these sessions counted toward supervision?",
        column_title="Supervision hours",
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="recording_consent",
        type=_T.ONE_CHOICE,
        label="One session is recorded for learning and deleted at the end of the event. May it be yours?",
        column_title="Recording",
        choices=(("yes", "Yes"), ("no", "No"), ("ask_me_first", "Ask me first")),
        visible_to=_A.LEADERS,
    ),
)

AGREEMENTS = (
    Suggestion(
        key="agrees_confidentiality",
        type=_T.AGREEMENT,
        label="I will keep everything about patients, clients and group members inside the group",
        column_title="Confidentiality",
        required=True,
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="agrees_full_attendance",
        type=_T.AGREEMENT,
        label="I will be there for every session, from start to end",
        column_title="Full attendance",
        required=True,
        visible_to=_A.LEADERS,
    ),
    Suggestion(
        key="private_room",
        type=_T.AGREEMENT,
        label="I will join from a private room, alone, with no one able to overhear",
        column_title="Private room",
        required=True,
    ),
    Suggestion(
        key="released_from_clinic",
        type=_T.AGREEMENT,
        label="I am released from clinic and pager for all the hours",
        column_title="Released from clinic",
        required=True,
    ),
    Suggestion(
        key="camera_on",
        type=_T.YES_NO,
        label="Can you keep your camera on?",
        column_title="Camera",
    ),
    Suggestion(
        key="share_contact_with_group",
        type=_T.YES_NO,
        label="May your small group see your e-mail after the event?",
        column_title="Share contact",
        visible_to=_A.GROUP,
    ),
)

PRACTICAL = (
    Suggestion(
        key="dietary",
        type=_T.SHORT_TEXT,
        label="Food: is there anything the kitchen must know?",
        column_title="Food",
        sensitive=True,
        delete_after_days=30,
    ),
    Suggestion(
        key="accessibility",
        type=_T.LONG_TEXT,
        label="Access: what would help you take full part?",
        column_title="Access needs",
        sensitive=True,
        delete_after_days=30,
    ),
    Suggestion(
        key="roommate_request",
        type=_T.SHORT_TEXT,
        label="Would you like to share a room with someone in particular?",
        column_title="Roommate",
    ),
    Suggestion(
        key="emergency_contact",
        type=_T.SHORT_TEXT,
        label="Whom should we call in an emergency (name and phone)?",
        column_title="Emergency contact",
        sensitive=True,
        delete_after_days=30,
    ),
    Suggestion(
        key="preferred_start",
        type=_T.ONE_CHOICE,
        label="What is the earliest start that works for you?",
        column_title="Earliest start",
        choices=(("7", "7:00 AM Pacific"), ("9", "9:00 AM Pacific"), ("either", "Either")),
    ),
    Suggestion(
        key="wants_credit",
        type=_T.YES_NO,
        label="Do you want to claim credit hours?",
        column_title="Wants credit",
    ),
    Suggestion(
        key="licence_number",
        type=_T.SHORT_TEXT,
        label="What is your license number, and in which state?",
        column_title="License",
        show_if={"question": "wants_credit", "is": [True]},
    ),
)

LIBRARY = (*ABOUT_THEM, *IN_THE_GROUP, *AGREEMENTS, *PRACTICAL)
BY_KEY = {s.key: s for s in LIBRARY}
