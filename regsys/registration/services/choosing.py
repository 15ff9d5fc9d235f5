"""What people choose with their places: rooms, meals. Held and let go with the place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.events import queries as events
from regsys.events.kinds import OptionKind, Proof
from regsys.events.models import Option
from regsys.events.rules.options import Choosable, offered, sold_out, why_not_chosen
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_
from regsys.registration import queries
from regsys.registration.chosen import list_choices
from regsys.registration.models import LineKind, OptionChoice, OrderLine, Registration
from regsys.registration.queries import Held
from regsys.registration.services.owing import ask_by
from regsys.registration.services.shared import check_open, lock_order
from regsys.registration.states import RegistrationState

# Registration id → option id → with whom they would like to share it.
Wishes = Mapping[int, Mapping[int, str]]


PROOF = "proof"
PAID_FOR = Refusal(
    "PaidFor",
    N_(
        "Your price was adjusted with what you have chosen, so write to us to give some of it back."
    ),
)
NOTHING_OPEN = Refusal(
    "NothingOpen", N_("There is nothing to choose here any more. Please write to us.")
)
NOTHING_SAID = Refusal("NothingSaid", N_("Write where: this price is for people in training."))


@dataclass
class Asked:
    """What each person of an order is asked, and what they have chosen: registration id → option id → wish."""

    options: Mapping[int, Option]
    offered: Mapping[int, Sequence[Choosable]]
    chosen: Mapping[int, dict[int, str]]
    # Who has to say why the price for trainees is theirs, with what they have said.
    words: Mapping[int, str] = field(default_factory=dict)
    wrong: dict[int, Mapping[str, Refusal]] = field(default_factory=dict)


def read_options(
    held: Held, people: Sequence[Registration] | None = None, *, now: datetime
) -> Asked:
    """Read what people of an order may choose, with what is left of it, and what they have chosen.

    `people`: of whom it is asked; None: of all who have not paid.
    """
    people = held.unpaid if people is None else people
    options = events.list_options({r.event_id for r in people})
    by_event = events.choosable(options, now=now)
    chosen = list_choices([r.id for r in people]) if options else {}
    firsts: dict[int, int] = {}
    for r in people:
        firsts.setdefault(r.event_id, r.id)
    asked = {
        r.id: offered(by_event.get(r.event_id, ()), first=firsts[r.event_id] == r.id)
        for r in people
    }
    mine = {r.id: {c.option_id: c.wish for c in chosen.get(r.id, ())} for r in people}
    trainees = {r.id: _said(r) for r in people if _must_say(r)}
    return Asked({o.id: o for o in options}, asked, mine, trainees)


def _must_say(r: Registration) -> bool:
    """A trainee says where they are in training; what an organizer has decided is not asked again."""
    known = r.proof or {}
    decided = known.get("kind") == "by_hand" or "by" in known or "refused_by" in known
    return r.ticket_type.proof is Proof.TRAINEE and not decided


def _said(r: Registration) -> str:
    return str((r.proof or {}).get("said", ""))


def choose_options(
    which: int | str | Held,
    wishes: Wishes,
    *,
    words: Mapping[int, str] | None = None,
    actor: Actor,
    now: datetime,
) -> Asked | None:
    """Let the people of an order take what they chose, and give back what they no longer want.

    `words` is what trainees say of their training. Returns what is wrong, by person and choice: then nothing is
    changed. What somebody has chosen before keeps its price. Locks order, then the options' pools.
    """
    held = lock_order(which, now=now)
    check_open(held)
    people = held.unpaid
    asked = read_options(held, people, now=now)
    wishes = _heard(asked, wishes)
    for r in people:
        if r.id in asked.words and not (words or {}).get(r.id):
            asked.wrong[r.id] = {PROOF: NOTHING_SAID}
    if not _choose(held, people, asked, wishes, until=held.ends_at, actor=actor, now=now):
        return asked
    for r in people:
        said = (words or {}).get(r.id, "")[:300]
        if r.id in asked.words and said != _said(r):
            r.proof = {"kind": "trainee", "said": said, "on": now.date().isoformat()}
    db.session.flush()
    return None


def choose_for_oneself(
    order_id: int,
    registration_id: int,
    wishes: Mapping[int, str],
    *,
    actor: Actor,
    now: datetime,
) -> Asked | None:
    """Let somebody whose place is confirmed choose once what comes with it; what that costs is due within two weeks.

    `wishes`: option id → with whom they would like to share it. Returns what is wrong: then nothing is changed. Locks
    order, then the options' pools. Raises Refused where nothing is open to be chosen.
    """
    held = lock_order(order_id, now=now)
    r = next(r for r in held.order.registrations if r.id == registration_id)
    if not may_choose(r, now=now):
        raise Refused(NOTHING_OPEN)
    asked, before = read_options(held, [r], now=now), r.price
    settled = not queries.due(order_id).due
    heard = _heard(asked, {r.id: wishes})
    if not _choose(held, [r], asked, heard, until=None, actor=actor, now=now):
        return asked
    if r.price > before:
        ask_by(r, settled=settled, now=now)
    db.session.flush()
    return None


def may_choose(r: Registration, *, now: datetime) -> bool:
    """Tell whether somebody whose place is confirmed has not been asked yet what comes with it."""
    return r.state is RegistrationState.CONFIRMED and r.options_open and now < r.event.starts_at


def _choose(
    held: Held,
    people: Sequence[Registration],
    asked: Asked,
    wishes: Mapping[int, Mapping[int, str]],
    *,
    until: datetime | None,
    actor: Actor,
    now: datetime,
) -> bool:
    """Take what these people chose, and give back what they no longer want; False: `asked.wrong` says what is wrong."""
    ours = {i for mine in asked.chosen.values() for i in mine}
    for r in people:
        wrong = why_not_chosen(asked.offered[r.id], wishes[r.id], {*asked.chosen[r.id], *ours})
        if wrong:
            asked.wrong[r.id] = {**wrong, **asked.wrong.get(r.id, {})}
    if asked.wrong:
        return False
    for r in people:
        stay = wishes[r.id]
        _give_back(held, r, [asked.options[i] for i in asked.chosen[r.id] if i not in stay], now)
    new = [
        (r, asked.options[i]) for r in people for i in wishes[r.id] if i not in asked.chosen[r.id]
    ]
    _claim(held, new, until=until, now=now)
    for r in people:
        r.options_open = False
    _note_wishes(wishes)
    _record(held, new, actor=actor, now=now)
    return True


def _heard(asked: Asked, wishes: Wishes) -> dict[int, dict[int, str]]:
    """Leave aside what somebody is not asked and has not chosen before."""
    return {
        r_id: {
            i: wish
            for i, wish in wishes.get(r_id, {}).items()
            if i in mine or any(o.id == i for o in asked.offered[r_id])
        }
        for r_id, mine in asked.chosen.items()
    }


def _claim(
    held: Held,
    new: Sequence[tuple[Registration, Option]],
    *,
    until: datetime | None,
    now: datetime,
) -> None:
    if not new:
        return
    wanted = [(r.id, [o.pool_id]) for r, o in new]
    try:
        capacity.claim(wanted, now=now, until=until)
    except Refused:
        counts = events.count_options([o for _r, o in new], now=now)
        names = (o.name for _r, o in new if counts[o.id].free is not None)
        gone = next((o.name for _r, o in new if counts[o.id].free == 0), next(names, ""))
        raise Refused(sold_out(gone)) from None
    for r, o in new:
        db.session.add(OptionChoice(registration_id=r.id, option_id=o.id))
        _add_line(held, r, o, o.price)
        r.price += o.price
        if o.kind is OptionKind.ROOM:
            r.room_part += o.price
    db.session.flush()


def _give_back(held: Held, r: Registration, gone: Sequence[Option], now: datetime) -> None:
    if not gone:
        return
    lines = [x for x in queries.list_lines(held.order.id) if x.registration_id == r.id]
    for o in gone:
        mine = [x for x in lines if x.option_id == o.id]
        cost = sum(x.amount for x in mine)
        if cost > r.price:
            raise Refused(PAID_FOR)
        r.price -= cost
        if o.kind is OptionKind.ROOM:
            r.room_part = max(0, r.room_part - cost)
        if held.order.placed_at:
            _add_line(held, r, o, -cost)
        else:
            ids = [x.id for x in mine]
            db.session.execute(delete(OrderLine).where(OrderLine.id.in_(ids)))
    ids = [o.id for o in gone]
    here = (OptionChoice.registration_id == r.id, OptionChoice.option_id.in_(ids))
    db.session.execute(delete(OptionChoice).where(*here))
    capacity.release([r.id], now=now, pools=[o.pool_id for o in gone])


def _add_line(held: Held, r: Registration, o: Option, amount: int) -> None:
    reason = f"{o.choice}: {o.name}." if o.choice else f"{o.name}."
    line = OrderLine(
        order_id=held.order.id,
        registration_id=r.id,
        kind=LineKind.OPTION,
        reason=reason[:300],
        amount=amount,
        option_id=o.id,
    )
    db.session.add(line)


def _note_wishes(wishes: Wishes) -> None:
    """Note with whom people would share, where it is asked."""
    for r_id, choices in list_choices(list(wishes)).items():
        for choice in choices:
            if choice.option.asks_wish:
                choice.wish = wishes[r_id].get(choice.option_id, "")[:300]
    db.session.flush()


def copy_choices(old_id: int, new_id: int) -> None:
    """Let whoever takes a place over have what was chosen with it; what the first one wished is theirs alone."""
    for choice in list_choices([old_id]).get(old_id, ()):
        db.session.add(OptionChoice(registration_id=new_id, option_id=choice.option_id))
    db.session.flush()


def _record(
    held: Held, new: Sequence[tuple[Registration, Option]], *, actor: Actor, now: datetime
) -> None:
    after = {
        "options": [o.name for _r, o in new],
        "cost": sum(o.price for _r, o in new),
        "currency": held.order.currency,
    }
    audit.record(
        "order.options_chosen",
        ("order", held.order.id),
        actor=actor,
        now=now,
        order_id=held.order.id,
        after=after,
    )
    db.session.flush()
