"""The public doors about money: paying, giving places up, moving, and somebody else who pays."""

from regsys.payments.public import leaving, moving, paying, sharing
from regsys.payments.public.base import payments

__all__ = ["leaving", "moving", "paying", "payments", "sharing"]
