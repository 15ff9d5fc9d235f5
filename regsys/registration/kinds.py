"""Where an order comes from."""

from enum import StrEnum


class OrderSource(StrEnum):
    """Cart: somebody chose places. By hand: an organizer. Host: one payer, whose order grows by names.

    The others: a place that was offered to one person, held until a time.
    """

    CART = "cart"
    BY_HAND = "by_hand"
    APPLICATION = "application"
    WAITING_LIST = "waiting_list"
    HOST = "host"
    HOST_SEAT = "host_seat"


# The room that offered the place writes the letter about its end; the same place cannot be had from a cart.
OFFERED = frozenset({OrderSource.APPLICATION, OrderSource.WAITING_LIST, OrderSource.HOST_SEAT})
