"""Pure questions about what can be chosen with a place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_


@dataclass(frozen=True)
class Choosable:
    """One option as it can be chosen; `left` None: it never runs out."""

    id: int
    name: str
    choice: str
    price: int
    left: int | None
    per_order: bool = False

    @property
    def gone(self) -> bool:
        return self.left == 0


def offered(options: Sequence[Choosable], *, first: bool) -> list[Choosable]:
    """Return what one person is asked; `first`: theirs is the first place of the order at this event."""
    return [o for o in options if first or not o.per_order]


def must_choose(options: Sequence[Choosable], mine: Collection[int]) -> list[str]:
    """Return of which choices a person has to take one: all in which something is left, or theirs already."""
    found = (o.choice for o in options if o.choice and (not o.gone or o.id in mine))
    return list(dict.fromkeys(found))


def why_not_chosen(
    options: Sequence[Choosable], chosen: Collection[int], mine: Collection[int]
) -> Mapping[str, Refusal]:
    """Return what is wrong with somebody's choice, by the name of the choice ("" for what is none).

    `mine`: what they, or others of their order, have and may give back.
    """
    by_id = {o.id: o for o in options}
    wrong: dict[str, Refusal] = {}
    taken = [by_id[i].choice for i in chosen if i in by_id]
    for name in must_choose(options, mine):
        if name not in taken:
            wrong[name] = Refusal("ChooseOne", N_("Choose one."))
    for name in set(taken):
        if name and taken.count(name) > 1:
            wrong[name] = Refusal("ChooseOne", N_("Choose one."))
    for i in chosen:
        option = by_id.get(i)
        if option is None and i not in mine:
            wrong[""] = Refusal("NotOfferedHere", N_("This can no longer be chosen here."))
        elif option and option.gone and i not in mine:
            wrong[option.choice] = sold_out(option.name)
    return wrong


def sold_out(name: str) -> Refusal:
    """Refuse what was taken by others meanwhile."""
    sentence = N_("“%(name)s” is taken by now. Please choose something else.")
    return Refusal("OptionGone", sentence, {"name": name})
