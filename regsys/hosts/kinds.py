"""Who pays for the seats of a host."""

from collections.abc import Mapping
from enum import StrEnum

from regsys.kernel.text import N_


class Pays(StrEnum):
    """Host: one order for all seats. Each: everybody pays for their own."""

    HOST = "host"
    EACH = "each"


NAMES: Mapping[Pays, str] = {
    Pays.HOST: N_("The host pays for all seats, in one order"),
    Pays.EACH: N_("Each person pays for their own seat"),
}
