"""Lists, pages and the objects inside other objects."""

from typing import Any

from regsys.sandbox.errors import StripeError, missing
from regsys.sandbox.store import Doc, Store

_EXPANDABLE = {
    "checkout.session": {"payment_intent", "line_items"},
    "payment_intent": {"latest_charge"},
    "charge": {"balance_transaction", "payment_intent", "refunds"},
    "refund": {"charge", "payment_intent", "balance_transaction", "failure_balance_transaction"},
    "balance_transaction": {"source"},
    "dispute": {"charge", "payment_intent"},
    "payout": {"balance_transaction", "failure_balance_transaction"},
}
_OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def expand(store: Store, doc: Doc, paths: list[str]) -> Doc:
    """Return the document with what each path names put in place of its id."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > 4:
            raise StripeError("You cannot expand more than 4 levels of a property", param="expand")
        if doc["object"] == "list":
            if steps.pop(0) != "data" or not steps:
                raise _cannot(path)
            doc["data"] = [_one(store, item, steps, path) for item in doc["data"]]
        else:
            doc = _one(store, doc, steps, path)
    return doc


def _one(store: Store, doc: Doc, steps: list[str], path: str) -> Doc:
    name, rest = steps[0], steps[1:]
    if name not in _EXPANDABLE.get(doc["object"], ()):
        raise _cannot(path)
    value: Any = _included(store, doc, name) or doc.get(name)
    if value is None:
        return doc  # nothing there yet, and some fields are absent rather than null
    if isinstance(value, str):
        value = store.find(value)
    if rest and isinstance(value, dict):
        value = _one(store, value, rest, path)
    return doc | {name: value}


def _cannot(path: str) -> StripeError:
    return StripeError(f"This property cannot be expanded ({path}).", param="expand")


def _included(store: Store, doc: Doc, name: str) -> Doc | None:
    """Return the lists that are shown only when asked for."""
    if name == "line_items":
        return line_items(store, doc["id"])
    if name == "refunds":
        found = store.select("kind = 'refund' AND json_extract(doc, '$.charge') = ?", doc["id"])
        return as_list(found, f"/v1/charges/{doc['id']}/refunds", False)
    return None


def line_items(store: Store, session: str) -> Doc:
    """Return the lines of a session."""
    items = store.inner(session)["items"]
    return as_list(items, f"/v1/checkout/sessions/{session}/line_items", False)


def as_list(data: list[Doc], url: str, has_more: bool) -> Doc:
    """Return documents as Stripe's list object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


class Query:
    """Conditions of a list, collected one by one."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.where = ["kind = ?"]
        self.values: list[object] = [kind]

    def add(self, condition: str, *values: object) -> None:
        """Add a condition on the table `object`."""
        self.where.append(condition)
        self.values.extend(values)

    def equal(self, field: str, value: object) -> None:
        """Keep documents whose field has this value, where one was asked."""
        if value is not None:
            self.add(f"json_extract(doc, '$.{field}') = ?", value)

    def created(self, asked: int | dict[str, int] | None, column: str = "created") -> None:
        """Keep documents created then, or in that span; `column` names another moment."""
        spans = asked if isinstance(asked, dict) else {"gte": asked, "lte": asked}
        for name, moment in spans.items():
            if moment is not None:
                self.add(f"{column} {_OPERATORS[name]} ?", moment)


def page(store: Store, query: Query, params: Doc, url: str) -> Doc:
    """Return one page, newest first."""
    limit = params.get("limit", 10)
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise StripeError("Give only one of starting_after and ending_before")
    order = "ASC" if before else "DESC"
    for name, sign in (("starting_after", "<"), ("ending_before", ">")):
        if name in params:
            query.add(f"seq {sign} ?", _place(store, query.kind, params[name], name))
    found = store.select(" AND ".join(query.where), *query.values, limit=limit + 1, order=order)
    data, has_more = found[:limit], len(found) > limit
    return as_list(data[::-1] if before else data, url, has_more)


def _place(store: Store, kind: str, id: str, name: str) -> int:
    place = store.seq(id, kind)
    if place is None:
        raise missing(kind, id, param=name, status=400)
    return place
