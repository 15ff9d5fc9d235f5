"""What a person may do, and what a mailed link is for."""

from enum import StrEnum


class Role(StrEnum):
    """What a person may do; `leader` follows from leading an event and is not granted here."""

    OWNER = "owner"
    REGISTRAR = "registrar"
    TREASURER = "treasurer"
    REVIEWER = "reviewer"
    STEWARD = "steward"
    COMMITTEE = "committee"
    CHECK_IN = "check_in"
    HOST_COORDINATOR = "host_coordinator"


class Purpose(StrEnum):
    """What a mailed link is for."""

    SIGN_IN = "sign_in"
    SET_PASSWORD = "set_password"
