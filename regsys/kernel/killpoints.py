"""Named points at which a test may kill the process, as a power cut would; nothing outside of sandbox mode.

REGSYS_KILL_AT names one point: the first process of the installation that reaches it dies by SIGKILL, once. The file
`killed-at-<point>` in the data folder remembers that, so that the restarted process lives; delete it to arm again.

Points: `attempt-committed` (the payment attempt is stored, Stripe not asked yet), `session-created` (Stripe has
answered, nothing recorded yet), `cancellation-committed` (an order of an event that is called off is ended and its
refunds are stored, Stripe not asked yet), `refund-requested` (a refund is stored, Stripe not asked yet),
`refund-made` (Stripe has made a refund, nothing recorded yet), `event-committed` (Stripe's event is stored, its effects
are not), `smtp-accepted` (the mail server has taken the letter, nothing recorded yet).
"""

import os
import signal
from pathlib import Path

_data_dir: Path | None = None


def configure(data_dir: Path | None) -> None:
    """Take marks from `data_dir` (sandbox mode), or never kill (None)."""
    global _data_dir
    _data_dir = data_dir


def reach(point: str) -> None:
    """Die here if this is the point that was asked for."""
    if _data_dir is None or os.environ.get("REGSYS_KILL_AT") != point:
        return
    try:
        os.close(os.open(_data_dir / f"killed-at-{point}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
