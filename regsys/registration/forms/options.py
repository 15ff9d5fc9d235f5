"""What is chosen with a place: the fields follow from what each event offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from flask_babel import gettext as _
from wtforms import BooleanField, Field, RadioField, StringField
from wtforms.validators import Optional

from regsys.events.rules.options import Choosable
from regsys.kernel.text import whole_number
from regsys.registration.models import Registration
from regsys.registration.services import Asked
from regsys.registration.services.choosing import PROOF
from regsys.web.forms import AtMost, BaseForm
from regsys.web.html import money


@dataclass(frozen=True)
class OptionPart:
    """What one person is asked: the fields, each with those that ask with whom it would be shared."""

    registration: Registration
    fields: Sequence[tuple[Field, Sequence[Field]]]
    proof: Field | None = None


class OptionsForm(BaseForm):
    """What each person of an order would like: one of several, or a tick."""

    @property
    def wishes(self) -> dict[int, dict[int, str]]:
        """Return registration id → option id → with whom they would like to share it."""
        found: dict[int, dict[int, str]] = {}
        for name, (r_id, option_id) in self.asks.items():
            field = self[name]
            took = field.data if option_id is None else option_id if field.data else None
            mine = found.setdefault(r_id, {})
            if took is not None:
                wish = self._fields.get(f"wish_{r_id}_{took}")
                mine[took] = (wish.data or "") if wish else ""
        return found

    @property
    def words(self) -> dict[int, str]:
        """Return what trainees say of their training, by registration id."""
        said = ((n.removeprefix("proof_"), f) for n, f in self._fields.items())
        return {int(n): f.data or "" for n, f in said if n.isdigit() and f.name == f"proof_{n}"}

    def complain(self, wrong: Mapping[int, Mapping[str, str]]) -> None:
        """Say what is wrong at the fields: registration id → choice → sentence."""
        for r_id in self.words:
            if sentence := wrong.get(r_id, {}).get(PROOF):
                self[f"proof_{r_id}"].errors = [sentence]
        for name, (r_id, option_id) in self.asks.items():
            choice = str(self[name].label.text) if option_id is None else ""
            sentence = wrong.get(r_id, {}).get(choice)
            if sentence:
                self[name].errors = [sentence]

    # Field name → registration id, and the option that it ticks (None: one of several is chosen).
    asks: Mapping[str, tuple[int, int | None]] = {}
    parts: Sequence[OptionPart] = ()


def build_options(asked: Asked, people: Sequence[Registration], currency: str) -> OptionsForm:
    """Return the form for these people, filled with what they have chosen."""
    fields: dict[str, Any] = {}
    asks: dict[str, tuple[int, int | None]] = {}
    wishes: dict[str, list[str]] = {}
    for r in people:
        if r.id in asked.words:
            fields[f"proof_{r.id}"] = _proof_field(r, asked.words[r.id])
        mine, by_choice = asked.chosen[r.id], _by_choice(asked.offered[r.id])
        for options in by_choice:
            name = f"option_{r.id}_{options[0].id}"
            fields[name] = _option_field(options, mine, currency)
            asks[name] = (r.id, None if options[0].choice else options[0].id)
            wishes[name] = []
            for o in options:
                if asked.options[o.id].asks_wish and not (o.gone and o.id not in mine):
                    wish = f"wish_{r.id}_{o.id}"
                    fields[wish] = StringField(
                        _("“%(name)s”: shared with whom?", name=o.name),
                        [Optional(), AtMost(300)],
                        default=mine.get(o.id, ""),
                        render_kw={"autocomplete": "off"},
                    )
                    wishes[name].append(wish)
    form = cast(OptionsForm, type("TheseOptions", (OptionsForm,), fields)())
    form.asks = asks
    form.parts = [
        OptionPart(
            r,
            [(form[n], [form[w] for w in wishes[n]]) for n, (i, _o) in asks.items() if i == r.id],
            form[f"proof_{r.id}"] if r.id in asked.words else None,
        )
        for r in people
    ]
    return form


def _proof_field(r: Registration, said: str) -> Any:
    label = _("Where is %(name)s in training, and who directs the programme?", name=r.first_name)
    return StringField(
        _("Where are you in training, and who directs the programme?") if r.is_payer else label,
        [Optional(), AtMost(300)],
        default=said,
        render_kw={"autocomplete": "off"},
        description=_("The price is for trainees. An organizer looks at this; nobody else does."),
    )


def _by_choice(options: Sequence[Choosable]) -> list[list[Choosable]]:
    found: dict[object, list[Choosable]] = {}
    for o in options:
        found.setdefault(o.choice or o.id, []).append(o)
    return list(found.values())


def _option_field(options: Sequence[Choosable], mine: Mapping[int, str], currency: str) -> Any:
    open_ones = [o for o in options if not o.gone or o.id in mine]
    gone = ", ".join(o.name for o in options if o not in open_ones)
    taken = _("Taken already: %(names)s.", names=gone) if gone else ""
    if not options[0].choice:
        o = options[0]
        kw = {"disabled": True} if not open_ones else {}
        label = _option_label(o, currency)
        return BooleanField(label, default=o.id in mine, description=taken, render_kw=kw)
    return RadioField(
        options[0].choice,
        [Optional()],
        coerce=_option_id,
        choices=partial(list, [(o.id, _option_label(o, currency)) for o in open_ones]),
        default=next((o.id for o in options if o.id in mine), None),
        validate_choice=False,
        description=taken,
    )


def _option_id(value: Any) -> int:
    number = whole_number(str(value))
    if number is None:
        raise ValueError(_("Please choose from the list."))
    return number


def _option_label(o: Choosable, currency: str) -> str:
    price = money(o.price, currency) if o.price else _("no charge")
    if o.left is None or o.gone:
        return _("%(name)s: %(price)s", name=o.name, price=price)
    return _("%(name)s: %(price)s, %(left)s left", name=o.name, price=price, left=o.left)
