"""Doing things at the same moment."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from flask import Flask

from regsys.kernel.db import db, transaction
from regsys.kernel.errors import Busy

T = TypeVar("T")


def together(works: Sequence[Callable[[], T]], *, seconds: float = 60) -> list[T | Exception]:
    """Run each in a thread of its own, all let go at once; return what each returned or raised, in order."""
    gate = threading.Barrier(len(works))
    results: list[T | Exception] = [AssertionError("did not end in time")] * len(works)

    def run(i: int) -> None:
        gate.wait(20)
        try:
            results[i] = works[i]()
        except Exception as e:
            results[i] = e

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(len(works))]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return results


def inside(app: Flask, work: Callable[[], T]) -> T:
    """Run in an application context of its own, whose connection goes back afterwards."""
    with app.app_context():
        try:
            return work()
        finally:
            db.session.remove()


def booking(app: Flask, verb: Callable[[], T], *, tries: int = 20) -> T:
    """Call one verb in one transaction, as a door does, and again where a lock was not had."""
    for n in range(tries):
        try:
            return inside(app, lambda: _committed(verb))
        except Busy:
            if n == tries - 1:
                raise
            time.sleep(0.01)
    raise AssertionError("unreachable")


def _committed(verb: Callable[[], T]) -> T:
    with transaction():
        return verb()


def errors(results: Sequence[T | Exception]) -> list[Exception]:
    """Return what was raised."""
    return [r for r in results if isinstance(r, Exception)]


def raise_unexpected(results: Sequence[T | Exception], *expected: type[Exception]) -> None:
    """Raise the first error that is not one of these."""
    for error in errors(results):
        if not isinstance(error, expected):
            raise error
