"""Processes of the same installation, split off this one: they share the database and Stripe, and nothing else."""

import os
import pickle
import signal
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from regsys.kernel import killpoints
from regsys.kernel.db import db

Work = Callable[[], Any]
SECONDS = 60  # after which a process ends itself


@dataclass(frozen=True)
class Raised:
    """What a process ended with instead of an answer."""

    kind: type[BaseException]
    text: str


def at_once(app: Flask, works: Sequence[Work]) -> list[Any]:
    """Do each in a process of its own, all let go at once; return what each returned, or Raised, in order."""
    _hang_up()
    gate, opener = os.pipe()
    pipes = [os.pipe() for _ in works]
    children = []
    for work, (answers, answer) in zip(works, pipes, strict=True):
        pid = _fork()
        if not pid:
            os.close(opener)
            os.close(answers)
            _answer(app, lambda work=work: (os.read(gate, 1), work())[1], answer)  # type: ignore[misc]
        os.close(answer)
        children.append(pid)
    # The gate opens when nobody holds its other end any more: when all have come so far.
    os.close(opener)
    os.close(gate)
    found = [_read(answers) for answers, _ in pipes]
    for pid in children:
        os.waitpid(pid, 0)
    return found


def dies(app: Flask, point: str, work: Work, *, folder: Path) -> bool:
    """Do it in a process that dies by SIGKILL at a named point; return whether it came there."""
    _hang_up()
    mark = folder / f"killed-at-{point}"
    mark.unlink(missing_ok=True)
    pid = _fork()
    if not pid:
        os.environ["REGSYS_KILL_AT"] = point
        killpoints.configure(folder)
        _answer(app, work, os.open(os.devnull, os.O_WRONLY))
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed == mark.exists(), f"ended with {status}"
    return killed


def _hang_up() -> None:
    """Close every connection to the database: a child must not share one."""
    db.session.remove()
    db.engine.dispose()


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, from Python 3.12 on
        return os.fork()


def _answer(app: Flask, work: Work, pipe: int) -> None:
    """Do the work, write the answer down, and be gone without a trace."""
    try:
        signal.alarm(SECONDS)
        for name in ("regsys.stripe", "regsys.stripe_http"):
            app.extensions.pop(name, None)
        os.write(pipe, pickle.dumps(_result(app, work)))
    finally:
        os._exit(0)


def _result(app: Flask, work: Work) -> Any:
    try:
        with app.app_context():
            return work()
    except Exception as e:
        return Raised(type(e), f"{e}")


def _read(pipe: int) -> Any:
    parts = []
    while part := os.read(pipe, 65536):
        parts.append(part)
    os.close(pipe)
    with suppress(EOFError):
        return pickle.loads(b"".join(parts))
    return Raised(TimeoutError, "the process did not answer")
