"""Stripe's own schema as a judge: records what the SDK and Stripe say to each other, and lists what is wrong with it.

The schema is not part of this project. Where it is not found, `find_judge()` returns None and says so.
"""

import importlib.util
import json
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl, urlsplit

import stripe
from stripe.params import PayoutListParams

from regsys.kernel import clock
from tests.support import needs

# The reduced schema leaves payouts out: they are held against the fields of the SDK's own class instead.
BY_CLASS = "/v1/payouts"


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
            if urlsplit(e.path).path.startswith(BY_CLASS):
                one = urlsplit(e.path).path != BY_CLASS
                self.seen[f"{e.method} {BY_CLASS}{'/{payout}' if one else ''}"] += 1
                problems += list_payout_problems(e)
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
            if event["type"].startswith("payout."):
                problems += list_misfits(event["data"]["object"], stripe.Payout)
                continue
            problems += [f"{event['type']}: {p}" for p in self.checker.event(event)]
        return problems


def list_payout_problems(exchange: Exchange) -> list[str]:
    """Hold what was asked and answered about payouts against what the SDK declares."""
    asked = {name.partition("[")[0] for name, _ in parse_qsl(urlsplit(exchange.path).query)}
    known = set(PayoutListParams.__annotations__)
    problems = [f"payouts: nobody knows the parameter {name}" for name in asked - known]
    if exchange.status >= 400:
        return problems
    answer = exchange.answer
    if answer["object"] == "list":
        if set(answer) != {"object", "data", "has_more", "url"}:
            problems.append(f"payouts: a list has not {sorted(answer)}")
        return problems + [p for one in answer["data"] for p in list_misfits(one, stripe.Payout)]
    return problems + list_misfits(answer, stripe.Payout)


def list_misfits(doc: dict[str, Any], kind: type) -> list[str]:
    """Return the fields of a document that the SDK's class does not declare, misses, or declares otherwise."""
    declared = {n: hint for n, hint in kind.__annotations__.items() if n != "OBJECT_NAME"}
    where = f"{kind.__name__} {doc.get('id', '')}"
    problems = [f"{where}: {name} is not known" for name in doc.keys() - declared.keys()]
    problems += [f"{where}: {name} is missing" for name in declared.keys() - doc.keys()]
    known = [(n, v, declared[n]) for n, v in doc.items() if n in declared]
    return problems + [f"{where}: {n} is {v!r}" for n, v, hint in known if not _fits(v, hint)]


def _fits(value: Any, hint: Any) -> bool:
    parts = get_args(hint)
    if get_origin(hint) is Literal:
        return value in parts
    if get_origin(hint) is Union:
        # "One of these words, or any": here only the words that are known.
        words = [p for p in parts if get_origin(p) is Literal]
        return any(_fits(value, p) for p in parts if not (words and p is str))
    kind = get_origin(hint) or hint
    is_object = isinstance(kind, ForwardRef) or issubclass(kind, stripe.StripeObject)
    return type(value) is (dict if is_object else kind)


def find_judge() -> Judge | None:
    """Return the judge, or warn "skipped: not found" and return None."""
    folder = needs.find_stripe_judge()
    if folder is None:
        warnings.warn(
            f"Stripe's schema: skipped: not found; {needs.STRIPE_JUDGE.advice}", stacklevel=2
        )
        return None
    return Judge(_load_checker(folder))


@cache
def _load_checker(folder: Path) -> Any:
    """Read the schema once for all tests of this process: a tenth of a second."""
    spec = importlib.util.spec_from_file_location("stripe_check", folder / "check.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # the checker leaves its schema file to the collector
        return module.Checker()


def require_judge() -> Judge:
    """Return the judge, or skip the test loudly."""
    needs.require(needs.STRIPE_JUDGE)
    judge = find_judge()
    assert judge
    return judge
