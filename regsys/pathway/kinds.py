"""What can be wanted, and the three answers."""

from collections.abc import Mapping
from enum import StrEnum

from regsys.kernel.text import N_


class Need(StrEnum):
    """What an event may want people to have behind them."""

    INTENSIVES = "intensives"
    MEMBER = "member"
    LEADS_GROUP = "leads_group"


class Verdict(StrEnum):
    """Unknown is not no: this system does not know what happened before it."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


NAMES: Mapping[Need, str] = {
    Need.INTENSIVES: N_("Intensives attended before"),
    Need.MEMBER: N_("Member of the society"),
    Need.LEADS_GROUP: N_("Leads a group now"),
}
