"""The stand-in Stripe for tests: start it as its own process, and steer it from behind."""

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import stripe

# Tests leave nothing in anyone's home.
stripe.enable_telemetry = False

ROOT = Path(__file__).resolve().parents[2]
Doc = dict[str, Any]


class SandboxRefused(Exception):
    """The stand-in said no; the text is its message."""


@dataclass(frozen=True)
class SandboxControl:
    """The hidden controls of a running stand-in, by address and key."""

    url: str
    api_key: str

    def pay(
        self, session: str, *, card: str | None = None, deliver: str = "normally", **more: Any
    ) -> Doc:
        """Pay as a payer would; return {session, error, closed}. `deliver`: normally twice late never out_of_order.

        `account=` instead of `card=` pays later from a bank account; `proves=False` fails 3-D Secure.
        """
        said = {"card": card, "deliver": deliver, **more}
        return self._post(f"/sessions/{session}/pay", said)

    def edit(self, session: str, **fields: Any) -> Doc:
        """Write fields into a session, such as amount_total, currency, metadata or livemode."""
        return self._post(f"/sessions/{session}/edit", fields)

    def expire(self, session: str) -> Doc:
        """Let the session's time be over now."""
        return self._post(f"/sessions/{session}/expire", {})

    def advance_refund(self, refund: str) -> Doc:
        """Play the second act of a refund (pending → succeeded, or succeeded → failed) now."""
        return self._post(f"/refunds/{refund}/advance", {})

    def fail(self, operation: str, kind: str, *, times: int = 1, **detail: Any) -> None:
        """Let the next calls go wrong.

        `operation` is a function of regsys/sandbox/api.py such as create_session, `*`, or `pay`. `kind`: 409 429 500
        500-saved slow(seconds=) drop-before drop pay-first(card=); for `pay` only: wrong-amount(amount=, currency=).
        """
        self._post("/faults", {"operation": operation, "kind": kind, "times": times, **detail})

    def clear_faults(self) -> None:
        """Forget every planned fault."""
        self._ask("DELETE", "/faults")

    def deliver(
        self,
        *events: str,
        times: int = 1,
        parallel: bool = False,
        patch: Doc | None = None,
        secret: str | None = None,
        offset: int = 0,
    ) -> list[Doc]:
        """Send events now in this order and return [{event, code, error}]; the last three forge the notice."""
        said = {"events": list(events), "times": times, "parallel": parallel, "patch": patch,
                "secret": secret, "offset": offset}  # fmt: skip
        sent: list[Doc] = self._post("/deliver", said)["sent"]
        return sent

    def emit(self, type: str, object: str | Doc, *, deliver: str = "never") -> Doc:
        """Make an event about an id or a whole document and return it; undelivered unless asked."""
        return self._post("/emit", {"type": type, "object": object, "deliver": deliver})

    def hold(self, held: bool = True) -> None:
        """Keep every delivery back, or let them go."""
        self._post("/hold", {"hold": held})

    def set_endpoint(self, status: str) -> None:
        """Enable or disable the webhook endpoint."""
        self._post("/endpoint", {"status": status})

    def events(self, type: str | None = None) -> list[Doc]:
        """Return events, oldest first."""
        found = self._ask("GET", "/events")["events"]
        return [e for e in found if type in (None, e["type"])]

    def deliveries(self, event: str | None = None) -> list[Doc]:
        """Return deliveries, oldest first: event, type, status (due done failed by hand), tries, code, error."""
        found = self._ask("GET", "/deliveries")["deliveries"]
        return [d for d in found if event in (None, d["event"])]

    def refund_in_dashboard(
        self, charge_or_intent: str, amount: int | None = None, **more: Any
    ) -> Doc:
        """Refund as a person does in the dashboard, whole or in part, and return the refund."""
        part = {} if amount is None else {"amount": amount}
        return self._post("/refunds", {"of": charge_or_intent, **part, **more})

    def fail_refund(self, refund: str) -> Doc:
        """Let a refund fail now, whatever card it went to."""
        return self._post(f"/refunds/{refund}/fail", {})

    def dispute(
        self,
        charge_or_intent: str,
        status: str = "needs_response",
        *,
        reason: str = "fraudulent",
        amount: int | None = None,
    ) -> Doc:
        """Dispute a payment and return the dispute; `warning_…` only asks, any other status takes the money."""
        said = {"of": charge_or_intent, "status": status, "reason": reason, "amount": amount}
        return self._post("/disputes", said)

    def update_dispute(self, dispute: str, status: str) -> Doc:
        """Move a dispute on, to `under_review`, from an inquiry to `needs_response`, or to any string."""
        return self._post(f"/disputes/{dispute}/update", {"status": status})

    def close_dispute(self, dispute: str, status: str) -> Doc:
        """End a dispute: won, lost, warning_closed or any string."""
        return self._post(f"/disputes/{dispute}/close", {"status": status})

    def finish_delayed(self, session: str, success: bool) -> Doc:
        """Let a bank account's money come, or fail, now; return the session."""
        return self._post(f"/sessions/{session}/finish", {"success": success})

    def payout(self, *, early: bool = False) -> list[Doc]:
        """Pay out what is available, or with `early` everything, and return the payouts, one a currency."""
        made: list[Doc] = self._post("/payouts", {"early": early})["payouts"]
        return made

    def fail_payout(self, payout: str) -> Doc:
        """Let the bank send a payout back, and return it."""
        return self._post(f"/payouts/{payout}/fail", {})

    def advance_payout(self, payout: str) -> Doc:
        """Let a payout reach the bank now, and return it."""
        return self._post(f"/payouts/{payout}/arrive", {})

    def edit_payout(self, payout: str, **fields: Any) -> Doc:
        """Write fields into a payout, such as its amount."""
        return self._post(f"/payouts/{payout}/edit", fields)

    def books(self) -> list[Doc]:
        """Return the account's statement, raw and oldest first: all balance transactions."""
        lines: list[Doc] = self._ask("GET", "/books")["transactions"]
        return lines

    def totals(self) -> Doc:
        """Return {lines: [{kind, status, currency, count, amount}], balance}."""
        return self._ask("GET", "/totals")

    def count(self, kind: str, status: str | None = None) -> int:
        """Return how many objects of a kind (checkout.session, charge, refund, dispute, payout …) there are."""
        lines = self.totals()["lines"]
        return sum(
            line["count"]
            for line in lines
            if line["kind"] == kind and status in (None, line["status"])
        )

    def calls(self, operation: str | None = None) -> list[Doc]:
        """Return API calls since the start of the process: operation, status, key, replayed, path, request."""
        found = self._ask("GET", "/calls")["calls"]
        return [c for c in found if operation in (None, c["operation"])]

    def wait_delivered(self, event: str, seconds: float = 10) -> Doc:
        """Return the delivery of an event once the product has taken it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for delivery in self.deliveries(event):
                if delivery["status"] == "done":
                    return delivery
            time.sleep(0.02)
        raise AssertionError(f"{event} was not delivered: {self.deliveries(event)}")

    def _post(self, path: str, said: Doc) -> Doc:
        return self._ask("POST", path, json.dumps(said))

    def _ask(self, method: str, path: str, body: str | None = None) -> Doc:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        try:
            connection.request(method, f"/_test{path}", body, headers)
            answer = connection.getresponse()
            said: Doc = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= 400:
            raise SandboxRefused(said["error"]["message"])
        return said


@dataclass
class Sandbox:
    """A stand-in process and everything that a product needs to know of it."""

    data: Path
    webhook_url: str
    api_key: str = field(default_factory=lambda: "sk_test_sandbox_" + secrets.token_hex(12))
    webhook_secret: str = field(default_factory=lambda: "whsec_" + secrets.token_hex(16))
    port: int = 0
    url: str = ""
    _process: "subprocess.Popen[str] | None" = None

    @property
    def control(self) -> SandboxControl:
        """Return the hidden controls."""
        return SandboxControl(self.url, self.api_key)

    def client(
        self, http_client: stripe.RequestsClient | None = None, retries: int = 2
    ) -> stripe.StripeClient:
        """Return the real SDK, pointed here."""
        return stripe.StripeClient(
            self.api_key,
            base_addresses={"api": self.url},
            max_network_retries=retries,
            http_client=http_client or stripe.RequestsClient(timeout=(3, 10)),
        )

    def start(self) -> None:
        """Start the process and wait until it has said its address; again after a kill, on the same port."""
        command = [sys.executable, "-m", "regsys.sandbox", "--data", str(self.data),
                   "--port", str(self.port), "--webhook-url", self.webhook_url]  # fmt: skip
        keys = {
            "REGSYS_STRIPE_SECRET_KEY": self.api_key,
            "REGSYS_STRIPE_WEBHOOK_SECRET": self.webhook_secret,
        }
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | keys, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        said = self._process.stdout.readline()
        if not said.startswith("sandbox: "):
            raise RuntimeError(f"the sandbox did not start (exit {self._process.wait()})")
        self.url = said.removeprefix("sandbox: ").strip()
        self.port = urlsplit(self.url).port or 0

    def shift(self, seconds: float) -> None:
        """Let the stand-in's clock (and that of a product on the same data folder) run ahead."""
        (self.data / "clock_offset").write_text(str(seconds))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process and return its exit status; one that has ended stays ended."""
        assert self._process
        assert self._process.stdout
        if self._process.poll() is None:
            self._process.send_signal(how)
        status = self._process.wait(20)
        self._process.stdout.close()
        return status


@contextmanager
def running_sandbox(data: Path, webhook_url: str, **known: Any) -> Iterator[Sandbox]:
    """Run a stand-in for the time of a test."""
    sandbox = Sandbox(data, webhook_url, **known)
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()
