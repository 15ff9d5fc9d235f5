"""The organizer's pages about money: what is odd, what is given back, and events that are called off."""

from regsys.payments.organizer import by_hand, calling_off, ending, giving, money, moving
from regsys.payments.organizer.desk import payments_organizer

__all__ = ["by_hand", "calling_off", "ending", "giving", "money", "moving", "payments_organizer"]
