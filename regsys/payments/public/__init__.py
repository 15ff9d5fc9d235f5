"""The public doors about money: paying, giving places up, moving to another event."""

from regsys.payments.public import leaving, moving, paying
from regsys.payments.public.base import payments

__all__ = ["leaving", "moving", "paying", "payments"]
