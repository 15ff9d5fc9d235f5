"""Stripe's own schema as a judge: records what the SDK and Stripe say to each other, and lists what is wrong with it.

The schema is not part of this project. Where it is not found, `find_judge()` returns None and says so.
"""

import importlib.util
import json
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import stripe

from regsys.kernel import clock
from tests.support import needs

# The reduced schema leaves these out; their shape is what the SDK documents, and no judge has seen it.
NOT_JUDGED = ("/v1/payouts",)


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    body: str
    headers: dict[str, str]
    now: float
    status: int
    answer: Any


class Recorder(stripe.RequestsClient):
    """The SDK's HTTP client, keeping every exchange; retries count as one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"timeout": (3, 10)} | options))
        self.exchanges: list[Exchange] = []

    def request_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
        *args: Any,
        **more: Any,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Ask as the SDK would, and keep what was said."""
        now = clock.now().timestamp()
        answer, status, said = super().request_with_retries(
            method, url, headers, post_data, *args, **more
        )
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        sent = {k: v for k, v in headers.items() if k.lower() != "authorization"}
        exchange = Exchange(
            method.upper(), path, post_data or "", sent, now, status, json.loads(answer)
        )
        self.exchanges.append(exchange)
        return answer, status, said


@dataclass
class Judge:
    """Compares with the official schema; `seen` counts judged exchanges per endpoint, and events per type."""

    checker: Any
    seen: Counter[str] = field(default_factory=Counter)

    def list_problems(self, exchanges: list[Exchange]) -> list[str]:
        """Return what is wrong with requests that were accepted, and with every answer."""
        problems: list[str] = []
        for e in exchanges:
            if urlsplit(e.path).path in NOT_JUDGED:
                continue
            route, _ = self.checker.route(e.method, e.path)
            self.seen[f"{e.method} {route}"] += 1
            if e.status < 400:
                problems += self.checker.request(e.method, e.path, e.body, e.headers, int(e.now))
            problems += self.checker.response(e.method, e.path, e.answer, e.status)
        return problems

    def list_event_problems(self, events: list[dict[str, Any]]) -> list[str]:
        """Return what is wrong with events as they were delivered."""
        problems: list[str] = []
        for event in events:
            self.seen[event["type"]] += 1
            problems += [f"{event['type']}: {p}" for p in self.checker.event(event)]
        return problems


def find_judge() -> Judge | None:
    """Return the judge, or warn "skipped: not found" and return None."""
    folder = needs.find_stripe_judge()
    if folder is None:
        warnings.warn(
            f"Stripe's schema: skipped: not found; {needs.STRIPE_JUDGE.advice}", stacklevel=2
        )
        return None
    spec = importlib.util.spec_from_file_location("stripe_check", folder / "check.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # the checker leaves its schema file to the collector
        return Judge(module.Checker())


def require_judge() -> Judge:
    """Return the judge, or skip the test loudly."""
    needs.require(needs.STRIPE_JUDGE)
    judge = find_judge()
    assert judge
    return judge
