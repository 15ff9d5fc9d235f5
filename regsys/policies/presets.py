"""Policies to begin with; an organizer chooses one and changes what does not fit."""

from typing import Any

from regsys.kernel.money import exponent
from regsys.kernel.text import N_
from regsys.policies.rules import Terms, read


def _step(days: int, percent: int, minus: int = 0) -> dict[str, Any]:
    return {"ahead": {"days": days}, "back": {"percent": percent, "minus": minus}}


# Name → title and terms; amounts are in hundredths, and scaled to the currency.
PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "intensive": (
        N_("Intensive in person: 60 and 30 days"),
        {
            "steps": [_step(60, 100, 7500), _step(30, 50)],
            "refilled": {"percent": 100, "minus": 7500},
            "substitute": {"allowed": "approval", "until": {"days": 14}},
            "transfer": {"allowed": "approval", "until": {"days": 30}, "within_months": 18},
        },
    ),
    "online": (
        N_("Intensive online: three weeks and one"),
        {
            "steps": [_step(21, 100, 4000), _step(7, 50)],
            "refilled": {"percent": 100, "minus": 4000},
            "substitute": {"allowed": "approval", "until": {"days": 14}},
        },
    ),
    "weekend": (
        N_("Weekend in a house, with a deposit and rooms"),
        {
            "steps": [_step(45, 100, 5000), _step(21, 50)],
            "room": {"steps": [_step(45, 100), {**_step(0, 100), "released": True}]},
            "refilled": {"percent": 100, "minus": 5000},
            "deposit": 15000,
        },
    ),
    "series": (
        N_("Group that meets for weeks or months"),
        {"steps": [_step(14, 100, 2000), _step(0, 50)]},
    ),
    "small": (
        N_("Small fee: all of it until the day before"),
        {"steps": [_step(1, 100)], "substitute": {"allowed": "free"}},
    ),
    "kind": (
        N_("All of it until it begins"),
        {"steps": [_step(0, 100)], "substitute": {"allowed": "free"}},
    ),
    "none": (N_("Nothing back, unless we call it off"), {}),
}


def get_preset(name: str, currency: str) -> Terms:
    """Return the terms of a preset in a currency; raise KeyError."""
    _title, body = PRESETS[name]
    scaled: Terms = read(_scale(body, 10 ** exponent(currency)))
    return scaled


def _scale(body: Any, unit: int) -> Any:
    if isinstance(body, dict):
        return {
            k: v * unit // 100 if k in ("minus", "deposit", "fee", "venue") and type(v) is int else _scale(v, unit)
            for k, v in body.items()
        }  # fmt: skip
    return [_scale(one, unit) for one in body] if isinstance(body, list) else body
