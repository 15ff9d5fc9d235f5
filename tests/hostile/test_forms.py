"""Every field of every form, as the pages show them, is sent what no person would type.

Never a failure, never a row from a refused form, everything typed kept, and nothing of it active in a page.
"""

import random
import re
from dataclasses import dataclass
from functools import cache

import pytest

from tests.hostile.conftest import Field
from tests.hostile.corpus import HUGE, SEED, VALUES, cover, deal, some
from tests.hostile.intruder import Intruder, Pairs, Value, fill
from tests.support.visitor import Control, Form

FILLING = {"csrf_token"}


@dataclass(frozen=True, eq=False)
class Target:
    """A form on a page, and who fills it in."""

    intruder: Intruder
    path: str
    form: Form

    @property
    def action(self) -> str:
        return self.form.action or self.path

    @property
    def controls(self) -> list[Control]:
        """One control of each kind of name: of the rows of a table the first stands for all."""
        kinds = {re.sub(r"\d+", "#", c.name): c for c in reversed(self.form.controls)}
        return [c for c in reversed(kinds.values()) if c.name not in FILLING]

    @property
    def buttons(self) -> list[str | None]:
        """The buttons that send something of their own, and none."""
        return [None, *(value for name, value, _ in self.form.buttons if name)]

    def send(self, values: dict[str, Value], what: str, button: str | None = None) -> None:
        """Send the form with these values; where what is hidden was forged, nothing need be kept."""
        pairs, controls = fill(self.form, values, button), self.form.controls
        forged = any(c.kind == "hidden" and c.name in values for c in controls)
        self.intruder.attack(self.action, pairs, what=what, typed=[] if forged else controls)


@cache
def list_targets(field: Field) -> list[Target]:
    """List every form of every page once: the same fields at the same kind of address are the same form."""
    found: dict[object, Target] = {}
    for stop in field.stops:
        intruder = field.intruder_at(stop.roles)
        for path in field.variants(stop):
            for form in intruder.look(path).forms:
                target = Target(intruder, path, form)
                names = tuple(re.sub(r"\d+", "#", c.name) for c in form.controls)
                what = (re.sub(r"\d+", "#", target.action), names)
                if form.method == "post":
                    found.setdefault(what, target)
    return list(found.values())


def shown(value: Value) -> str:
    return repr(value)[:30] + (f" ×{len(value)}" if len(value) > 30 else "")


def attack_shape(target: Target) -> None:
    """Leave each field out, send each twice, send none, send what the form has not, press each button."""
    everything = fill(target.form, {})

    def send(pairs: Pairs, what: str) -> None:
        target.intruder.attack(target.action, pairs, what=what)

    for control in target.controls:
        name = control.name
        send([p for p in everything if p[0] != name], f"without {name}")
        send([*everything, (name, "twice"), (name, HUGE)], f"{name} twice")
        send([*everything, (f"{name}-0", "x"), (f"{name}[]", "y")], f"{name} as a list")
        far = re.sub(r"\d+", "99999999999999999999", name)
        send([*everything, (far, "x"), (re.sub(r"\d+", "٣", name), "x")], f"far {name}")
    send([p for p in everything if p[0] == "csrf_token"], "nothing")
    odd: Pairs = [("price", "0"), ("amount", "1"), ("id", "1"), ("state", "confirmed"), ("", "x")]
    send([*everything, *odd], "more fields")
    for button in target.buttons:
        target.send({}, f"button {button}", button)
        hostile = {c.name: VALUES[i % len(VALUES)] for i, c in enumerate(target.controls)}
        target.send(hostile, f"all at once, button {button}", button)


def test_a_sample_of_hostile_text_in_every_field_of_every_form(field: Field) -> None:
    """Each form is sent twice or three times; every value is among what is sent, and every third field alone."""
    chance, targets = random.Random(SEED), field.some_of(list_targets(field))
    values = deal(chance, VALUES)
    for target in targets:
        for control in some(chance, target.controls, max(1, len(target.controls) // 3)):
            value = next(values)
            target.send({control.name: value}, f"{control.name}={shown(value)}")
        hostile = {c.name: next(values) for c in target.controls}
        target.send(hostile, "all at once", chance.choice(target.buttons))
        attack_some_shapes(target, chance)
    assert field.problems == ""
    assert len(targets) > 50
    assert field.sent >= 2 * len(targets)


def attack_some_shapes(target: Target, chance: random.Random) -> None:
    """Leave one field out, or send one twice, or send none at all."""
    everything = fill(target.form, {})
    for control in some(chance, target.controls, 1):
        without = [p for p in everything if p[0] != control.name]
        twice: Pairs = [*everything, (control.name, "twice"), (control.name, HUGE)]
        token: Pairs = [p for p in everything if p[0] == "csrf_token"]
        what, pairs = chance.choice([("without", without), ("twice", twice), ("nothing", token)])
        target.intruder.attack(target.action, pairs, what=f"{what} {control.name}")


@pytest.mark.long
def test_all_hostile_text_in_every_field_of_every_form(
    field: Field, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every field meets every family of values, every kind of field every value: all pairs would take hours."""
    targets = list_targets(field)
    fields = [((t, c.name), c.kind) for t in targets for c in t.controls]
    met: set[tuple[str, Value]] = set()
    kinds = {(t.path, t.action, name): kind for (t, name), kind in fields}
    for (target, name), value in cover(random.Random(SEED), fields):
        target.send({name: value}, f"{name}={shown(value)}")
        met.add((kinds[target.path, target.action, name], value))
    for target in targets:
        attack_shape(target)
    with capsys.disabled():
        accepted = sum(i.accepted for i in field.intruders.values())
        print(f"\n{len(fields)} fields: {field.sent} requests, {accepted} accepted")
    assert field.problems == ""
    assert met == {(kind, value) for kind in set(kinds.values()) for value in VALUES}


@pytest.mark.once
def test_a_form_without_its_token_changes_nothing(field: Field) -> None:
    problems = []
    for target in list_targets(field):
        for token in (None, "forged"):
            pairs = [p for p in fill(target.form, {}) if p[0] != "csrf_token"]
            pairs += [("csrf_token", token)] if token else []
            page = target.intruder.attack(target.action, pairs, what=f"token {token}")
            if page.status != 400:
                problems.append(f"{target.action} answered {page.status} to the token {token}")
    assert problems == []
    assert field.problems == ""
