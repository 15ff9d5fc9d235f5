"""Pure questions about a form: which questions are asked, and who may read the answers?"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from regsys.kernel.actors import Actor
from regsys.questions.kinds import Audience


class Asks(Protocol):
    """What decides whether a question is asked."""

    @property
    def key(self) -> str: ...
    @property
    def show_if(self) -> Mapping[str, Any] | None: ...


def asked(questions: Sequence[Asks], values: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys of the questions that are asked, given what is answered.

    A question with a condition is asked only if the question that it names is asked too, and answered so. One that
    names itself in a circle, or a question that is not there, is not asked.
    """
    by_key = {q.key: q for q in questions}
    known: dict[str, bool] = {}
    for q in questions:
        _settle(q.key, by_key, values, known)
    return frozenset(key for key, is_asked in known.items() if is_asked)


def _settle(
    key: str, by_key: Mapping[str, Asks], values: Mapping[str, Any], known: dict[str, bool]
) -> bool:
    """Decide one question, and those that it hangs on, without recursion: a chain may be long."""
    chain: list[str] = []
    while key in by_key and key not in known and key not in chain:
        chain.append(key)
        condition = by_key[key].show_if
        if not condition:
            known[key] = True
            break
        key = condition["question"]
    above = known.get(key, False)
    for one in reversed(chain):
        condition = by_key[one].show_if
        if condition:
            above = above and fits(values.get(condition["question"]), condition["is"])
            known[one] = above
        else:
            above = known[one]
    return above


def fits(value: Any, wanted: Collection[Any]) -> bool:
    """Tell whether an answer is one of the wanted values; of several choices one is enough."""
    if isinstance(value, list):
        return any(v in wanted for v in value)
    return value is not None and any(type(value) is type(w) and value == w for w in wanted)


def audiences_of(actor: Actor, event_id: int) -> frozenset[Audience]:
    """Return whose answers this person may read in an event; most roles read none."""
    may = set()
    if actor.has("registrar", event_id=event_id):
        may |= {Audience.ORGANIZER, Audience.LEADERS, Audience.GROUP}
    if actor.has("leader", event_id=event_id):
        may |= {Audience.LEADERS, Audience.GROUP}
    if actor.has("steward", event_id=event_id):
        may.add(Audience.STEWARD)
    return frozenset(may)
