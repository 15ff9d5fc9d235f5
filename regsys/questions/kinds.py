"""What kinds of question there are, and who may read the answers."""

from enum import StrEnum


class QuestionType(StrEnum):
    """One class per type in `types.py` knows its field, validation, storage, display and export."""

    SHORT_TEXT = "short_text"
    LONG_TEXT = "long_text"
    ONE_CHOICE = "one_choice"
    SEVERAL_CHOICES = "several_choices"
    YES_NO = "yes_no"
    AGREEMENT = "agreement"
    NUMBER = "number"
    DATE = "date"
    EMAIL = "email"
    PHONE = "phone"


class Stage(StrEnum):
    """When it is asked where places are given by application; elsewhere everything is asked at registration."""

    APPLY = "apply"
    REGISTER = "register"


class Audience(StrEnum):
    """Who may see the answers. `steward`: nobody but the steward; not even organizers."""

    ORGANIZER = "organizer"
    LEADERS = "leaders"
    GROUP = "group"
    STEWARD = "steward"
