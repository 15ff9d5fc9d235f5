"""Why people write to the society."""

from enum import StrEnum


class InquiryKind(StrEnum):
    """Why somebody writes."""

    SPEAKER = "speaker"
    ON_THE_ROAD = "on_the_road"
    START_A_GROUP = "start_a_group"
    GENERAL = "general"
    # To the leaders of one event, forwarded without revealing their address.
    TO_LEADER = "to_leader"
