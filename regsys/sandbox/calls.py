"""One call of the API from the first byte to the last: key, version, faults, idempotency, work, answer."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import Response, request

from regsys.kernel import tokens
from regsys.sandbox import clockwork, faults, till
from regsys.sandbox.box import Box, now, this_box
from regsys.sandbox.cards import GOOD, find_card
from regsys.sandbox.errors import StripeError
from regsys.sandbox.events import Cause, Deliver
from regsys.sandbox.expand import expand
from regsys.sandbox.faults import Fault, Planned
from regsys.sandbox.ids import new_id
from regsys.sandbox.objects import API_VERSION, Payer
from regsys.sandbox.params import Hash, Tree, decode
from regsys.sandbox.store import Doc, Store


@dataclass
class Call:
    """A request that is being worked on, with parameters already read."""

    box: Box
    params: Doc
    ids: dict[str, str]
    now: int
    cause: Cause
    started: bool = False

    @property
    def store(self) -> Store:
        """Return the file."""
        return self.box.store

    def executing(self) -> None:
        """Say that validation is over: from here on a refusal too is kept under the idempotency key."""
        self.started = True


Operation = Callable[[Call], Doc]


@dataclass(frozen=True)
class Answer:
    """What goes back; `first` names the request that was really executed, where this is a replay."""

    status: int
    body: str
    first: str | None = None


@dataclass(frozen=True)
class Asked:
    """A request before anything was done with it."""

    name: str
    id: str
    key: str | None
    tree: Tree

    @property
    def fingerprint(self) -> str:
        """Return what must be equal for a key to be used again."""
        return json.dumps([request.method, request.path, self.tree], sort_keys=True)


def run(name: str, spec: Hash, work: Operation, ids: dict[str, str]) -> Response:
    """Answer one request."""
    box = this_box()
    request_id = new_id("req")
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    try:
        _check_headers(box, key)
        answer = _faulty(box, Asked(name, request_id, key, _tree()), spec, work, ids)
    except StripeError as e:
        answer = Answer(e.status, json.dumps(e.body(), indent=2))
    box.calls.append(
        {"operation": name, "status": answer.status, "key": key, "replayed": bool(answer.first),
         "path": request.path, "request": request_id}
    )  # fmt: skip
    return respond(answer, request_id, key)


def respond(answer: Answer, request_id: str, key: str | None = None) -> Response:
    """Return an answer with Stripe's headers."""
    response = Response(answer.body, answer.status, mimetype="application/json")
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = request.headers.get("Stripe-Version", API_VERSION)
    if key:
        response.headers["Idempotency-Key"] = key
    if answer.first:
        response.headers["Idempotent-Replayed"] = "true"
        response.headers["Original-Request"] = answer.first
    return response


def authorise(box: Box) -> None:
    """Refuse a request without the stand-in's own key."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer" or not given:
        raise StripeError(
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').", status=401,
        )  # fmt: skip
    if not tokens.same(given, box.api_key):
        raise StripeError(f"Invalid API Key provided: {given[:8]}***{given[-4:]}", status=401)


def _check_headers(box: Box, key: str | None) -> None:
    authorise(box)
    version = request.headers.get("Stripe-Version", API_VERSION)
    if version != API_VERSION:
        raise StripeError(f"Invalid Stripe API version: {version}")
    if key is not None and len(key) > 255:
        raise StripeError("Idempotency keys can have at most 255 characters")


def _tree() -> Tree:
    if request.method == "POST" and request.query_string:
        raise StripeError("The stand-in takes no query string on a POST")
    raw = request.get_data() if request.method == "POST" else request.query_string
    try:
        return decode(parse_qsl(raw.decode(), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise StripeError("Invalid UTF-8 in the request") from None


def _faulty(box: Box, asked: Asked, spec: Hash, work: Operation, ids: dict[str, str]) -> Answer:
    """Do the work, unless a planned fault says otherwise."""
    with box.store.unit():
        fault = faults.take(box.store, asked.name)
        clockwork.catch_up(box.store, now())
    if fault is None:
        return _once(box, asked, spec, work, ids)
    if fault.kind is Fault.DROP_BEFORE:
        return _hang_up()
    error = faults.error_of(fault.kind)
    if error:
        answer = Answer(error.status, json.dumps(error.body(), indent=2))
        if fault.kind is Fault.ERROR_SAVED:
            _remember(box.store, asked, answer)
        return answer
    answer = _once(box, asked, spec, work, ids, wait=float(fault.detail.get("seconds", 0)))
    if fault.kind is Fault.PAY_FIRST and answer.status == 200:
        _pay_first(box, json.loads(answer.body), fault)
    return _hang_up() if fault.kind is Fault.DROP else answer


def _hang_up() -> Answer:
    """Cut the connection under the answer."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Answer(500, "")


def _pay_first(box: Box, session: Doc, fault: Planned) -> None:
    """Pay and deliver while the product still waits for its answer."""
    card = find_card(fault.detail.get("card") or GOOD)
    till.pay(box, session["id"], card, Payer(name="Test Payer"), Deliver.NEVER)
    with box.store.unit():
        events = box.store.select("kind = 'event'", limit=1)
    answer = box.courier.send(events[0]["id"])
    with box.store.unit():
        if answer.thanked:
            box.courier.thank(events[0]["id"])


def _once(
    box: Box, asked: Asked, spec: Hash, work: Operation, ids: dict[str, str], wait: float = 0
) -> Answer:
    """Do the work, or return what was answered under the same key before."""
    with _claimed(box, asked.key):
        earlier = _recall(box.store, asked)
        if earlier:
            return earlier
        time.sleep(wait)
        call = Call(box, spec.read(asked.tree), ids, now(), Cause(asked.id, asked.key))
        try:
            return _executed(call, asked, work)
        except StripeError as e:
            answer = Answer(e.status, json.dumps(e.body(), indent=2))
            if call.started:
                _remember(box.store, asked, answer)
            return answer


def _executed(call: Call, asked: Asked, work: Operation) -> Answer:
    """Do the work and keep the answer in one unit: both happen, or neither."""
    with call.store.unit():
        doc = expand(call.store, work(call), call.params.get("expand", []))
        answer = Answer(200, json.dumps(doc))
        if asked.key:
            _insert(call.store, asked, answer)
    if call.started:
        call.box.courier.wake()
    return answer


@contextmanager
def _claimed(box: Box, key: str | None) -> Iterator[None]:
    """Hold an idempotency key while its request runs; a second one gets 409."""
    if key is None:
        yield
        return
    with box.busy_lock:
        if key in box.busy:
            raise StripeError(
                "There is currently another in-progress request using this Idempotent Key (that "
                "probably means you submitted twice, and the other request is still going through): "
                f"{key}", status=409, kind="idempotency_error", code="idempotency_key_in_use",
            )  # fmt: skip
        box.busy.add(key)
    try:
        yield
    finally:
        with box.busy_lock:
            box.busy.discard(key)


def _recall(store: Store, asked: Asked) -> Answer | None:
    if asked.key is None:
        return None
    with store.unit():
        rows = store.rows("SELECT * FROM answer WHERE key = ?", asked.key)
    if not rows:
        return None
    if rows[0]["asked"] != asked.fingerprint:
        raise StripeError(
            "Keys for idempotent requests can only be used with the same parameters they were first "
            f"used with. Try using a key other than '{asked.key}' if you meant to execute a different "
            "request.", kind="idempotency_error",
        )  # fmt: skip
    return Answer(rows[0]["status"], rows[0]["body"], first=rows[0]["request"])


def _remember(store: Store, asked: Asked, answer: Answer) -> None:
    if asked.key:
        with store.unit():
            _insert(store, asked, answer)


def _insert(store: Store, asked: Asked, answer: Answer) -> None:
    store.run(
        "INSERT OR IGNORE INTO answer (key, asked, status, body, request, saved) VALUES (?, ?, ?, ?, ?, ?)",
        asked.key, asked.fingerprint, answer.status, answer.body, asked.id, now(),
    )  # fmt: skip
