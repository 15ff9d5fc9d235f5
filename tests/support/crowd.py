"""A crowd of buyers in processes of their own: `python -m tests.support.crowd` reads its task from standard input."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.buyer import Buyer, Outcome

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Task:
    """What one process does: its buyers (numbers from `first`) want places, `at_once` of them at a time.

    Their number decides which event of `slugs` they want, and which button of `pays` they press on Stripe's page.
    """

    site: str
    slugs: Sequence[str]
    first: int
    count: int
    at_once: int
    start_at: float
    patience: float = 60.0
    pays: Sequence[str] = ("pay",)


def run(task: Task) -> list[Outcome]:
    """Let them all go when the time has come."""
    time.sleep(max(0.0, task.start_at - time.time()))
    with ThreadPoolExecutor(task.at_once) as pool:
        return list(pool.map(lambda n: _buy(task, n), range(task.first, task.first + task.count)))


def _buy(task: Task, number: int) -> Outcome:
    buyer = Buyer(task.site, number, patience=task.patience)
    slug, pay = task.slugs[number % len(task.slugs)], task.pays[number % len(task.pays)]
    try:
        return buyer.buy(slug, pay=pay)
    except Exception as e:
        return Outcome("lost", f"{type(e).__name__}: {e}", email=buyer.email)


class Crowd:
    """Processes that are under way; `wait` collects what became of everybody."""

    def __init__(
        self,
        site: str,
        slugs: Sequence[str],
        *,
        buyers: int,
        processes: int,
        at_once: int = 0,
        patience: float = 60.0,
        head_start: float = 1.5,
        pays: Sequence[str] = ("pay",),
        first: int = 0,
    ) -> None:
        start_at = time.time() + head_start
        shares = [buyers // processes + (i < buyers % processes) for i in range(processes)]
        firsts = [first + sum(shares[:i]) for i in range(processes)]
        self._running = [
            _start(Task(site, slugs, start, share, at_once or share, start_at, patience, pays))
            for start, share in zip(firsts, shares, strict=True)
        ]

    def wait(self, seconds: float) -> list[Outcome]:
        """Return everybody's outcome; those who take longer are sent home and are missing."""
        end = time.monotonic() + seconds
        found: list[Outcome] = []
        try:
            for process in self._running:
                said, _ = process.communicate(timeout=max(1.0, end - time.monotonic()))
                found += [Outcome(**one) for one in json.loads(said or "[]")]
        finally:
            self.disperse()
        return found

    @property
    def is_under_way(self) -> bool:
        """Tell whether somebody is still buying."""
        return any(p.poll() is None for p in self._running)

    def disperse(self) -> None:
        """End what still runs."""
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()


def _start(task: Task) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.crowd"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(json.dumps(asdict(task)))
    process.stdin.close()
    process.stdin = None
    return process


def tally(outcomes: Sequence[Outcome]) -> Counter[str]:
    """Add up what all of them counted."""
    total: Counter[str] = Counter()
    for outcome in outcomes:
        total.update(outcome.tally)
    return total


def kinds(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Return how many ended in which way."""
    return dict(Counter(o.kind for o in outcomes))


def main() -> None:
    """Carry out the task on standard input and print the outcomes."""
    outcomes = run(Task(**json.load(sys.stdin)))
    json.dump([o.to_json() for o in outcomes], sys.stdout)


if __name__ == "__main__":
    main()
