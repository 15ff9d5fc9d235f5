"""Taking places into a cart: the price is decided at the moment at which the place is held."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.events import rules as event_rules
from regsys.events.kinds import Proof as ProofKind
from regsys.events.kinds import Rate
from regsys.events.models import Event, TicketType
from regsys.events.queries import joins_until, price_of, share_of, to_pay
from regsys.kernel import tokens
from regsys.kernel.actors import ANONYMOUS
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_
from regsys.questions import services as questions
from regsys.registration import proving, queries, rules
from regsys.registration.models import LineKind, Order, Registration
from regsys.registration.queries import Held
from regsys.registration.services.places import Shelf, get_for_sale, get_on_sale, shelves_of, want
from regsys.registration.services.pricing import divide, full_price, price_at, price_words
from regsys.registration.services.shared import (
    add_line,
    end,
    let_lapse,
    lock_order,
    make_order,
)
from regsys.registration.states import RegistrationState as S

# What somebody has shown, as a place keeps it.
Proof = Mapping[str, Any]

# What goes with a person from a place that was let go to the one that is taken again.
PERSON = (
    "is_payer", "first_name", "last_name", "badge_name", "pronouns", "email", "email_key", "phone",
    "profession", "credentials", "workplace", "city", "time_zone", "answered_at",
)  # fmt: skip


def put_in_cart(
    which: int | str,
    wanted: Mapping[int, int],
    *,
    cart_id: int | None,
    minutes: int,
    now: datetime,
    opened: Collection[int] = (),
    proof: Proof | None = None,
) -> Order:
    """Hold the wanted number of places of each ticket type, and only the difference to what the cart holds already.

    `which` event: its id, or its slug as a visitor names it, who has `opened` these private ones. `proof`: that they
    are a member; without it nobody gets the price for members.

    Without a cart, or with one that is placed or has lapsed, a new cart begins; it takes over the people of a lapsed
    one. Raises Refused: nothing is changed then.
    """
    cart = lock_order(cart_id, now=now) if cart_id else None
    lapsed = cart if cart and not cart.order.placed_at and not cart.holding else None
    if cart and (cart.order.placed_at or not cart.holding):
        cart = None
    event, shelf = _get_for_sale(which, opened)
    if isinstance(which, str):
        wanted = {t.id: wanted.get(t.id, 0) for t in event.ticket_types if t.on_sale and t.prices}
    _check(event, wanted, cart, now=now)
    have = [r for r in cart.people if r.event_id == event.id] if cart else []
    change = rules.change_of(wanted, [(r.id, r.ticket_type_id, bool(r.email)) for r in have])
    check_proof(event, change.more, wanted, proof)
    order = cart.order if cart else make_order(event.currency, now=now)
    if change.less:
        _take_off(order, [r for r in have if r.id in change.less], now=now)
    remembered = _let_lapse(lapsed, order, now=now) if lapsed else []
    # A cart that came with an offer is held for days: what is added to it is not.
    longest = rules.hold_until(now, minutes) + rules.EXTRA
    held_until = cart.ends_at if cart else None
    until = min(held_until, longest) if held_until else rules.hold_until(now, minutes)
    first = len(cart.order.registrations) + 1 if cart else 1
    plan = {event.id: (event, change.more)}
    hold_places(
        order,
        plan,
        remembered,
        first=first,
        until=until,
        now=now,
        behind=True,
        shelves={event.id: shelf},
        proof=proof,
    )
    return order


def check_proof(
    event: Event, more: Mapping[int, int], wanted: Mapping[int, int], proof: Proof | None
) -> None:
    """Raise Refused where somebody would get a price for members, and has not shown that they are one."""
    mine = {t.id for t in event.ticket_types if t.proof is ProofKind.MEMBER}
    refusal = proving.why_not_as_member(
        places=sum(n for t, n in wanted.items() if t in mine),
        more=sum(n for t, n in more.items() if t in mine),
        proven=proof is not None,
    )
    if refusal:
        raise Refused(refusal)


def _get_for_sale(which: int | str, opened: Collection[int]) -> tuple[Event, Shelf]:
    if isinstance(which, str):
        return get_on_sale(which, opened=opened)
    event = get_for_sale([which]).get(which)
    if event is None:
        raise NotFound(N_("There is no such event."))
    return event, shelves_of([which])[which]


def take_again(order_id: int, *, minutes: int, now: datetime) -> Order:
    """Begin a new cart with the people of an order whose places were let go; raise Refused if they are gone."""
    old = lock_order(order_id, now=now)
    if old.order.offered:
        raise Refused(rules.ONLY_OFFERED)
    gone = [r for r in old.people if r.state is S.EXPIRED or r.id not in old.ends]
    gone = [r for r in gone if r.state in (S.EXPIRED, S.DRAFT, S.AWAITING_PAYMENT)]
    # A move that was not paid ends as if it was never begun: the place from which it began is still there.
    gone = [r for r in gone if not r.moved_from_id]
    if not gone:
        raise Refused(rules.PLACED_ALREADY)
    events = get_for_sale({r.event_id for r in gone})
    plan = {}
    shown = next((r.proof for r in gone if proving.still_proves(r.proof, now.date())), None)
    for event in events.values():
        mine = [r.ticket_type_id for r in gone if r.event_id == event.id]
        more = {t: mine.count(t) for t in dict.fromkeys(mine)}
        _check(event, more, None, now=now)
        check_proof(event, more, more, shown)
        plan[event.id] = (event, more)
    order = make_order(old.order.currency, now=now)
    remembered = _let_lapse(old, order, now=now)
    until = rules.hold_until(now, minutes)
    copied = hold_places(
        order, plan, remembered, first=1, until=until, now=now, behind=True, proof=shown
    )
    if not copied and any(r.email for r in remembered):
        raise Refused(rules.TAKEN_AGAIN)
    return order


def extend_hold(which: int | Held, *, now: datetime) -> datetime:
    """Hold a cart's places a quarter of an hour longer, once; return the new end."""
    held = lock_order(which, now=now)
    refusal = rules.why_not_extend(extended=held.order.hold_extended, held=held.holding)
    if refusal or held.ends_at is None:
        raise Refused(refusal or rules.PLACED_ALREADY)
    until = held.ends_at + rules.EXTRA
    if not capacity.extend([r.id for r in held.unpaid], until=until, now=now):
        raise Refused(rules.HOLD_EXPIRED)
    held.order.hold_extended = True
    db.session.flush()
    return until


def remove_from_cart(order_id: int, registration_id: int, *, now: datetime) -> None:
    """Give one place of a cart back; one that is not there is left alone."""
    held = lock_order(order_id, now=now)
    if held.order.placed_at:
        raise Refused(rules.PLACED_ALREADY)
    mine = [r for r in held.unpaid if r.id == registration_id]
    if mine:
        _take_off(held.order, mine, now=now)


def put_back(order_id: int, registration_id: int, *, minutes: int, now: datetime) -> None:
    """Hold again what was given back a moment ago, for the same person; raise Refused where it is gone.

    A second click, or one after the cart has changed, is left alone.
    """
    held = lock_order(order_id, now=now)
    if held.order.placed_at:
        raise Refused(rules.PLACED_ALREADY)
    old = held.given_back(registration_id)
    event = get_for_sale([old.event_id]).get(old.event_id) if old else None
    if old is None or event is None:
        return
    wanted = Counter(r.ticket_type_id for r in held.people if r.event_id == event.id)
    wanted[old.ticket_type_id] += 1
    _check(event, wanted, held, now=now)
    until = held.ends_at or rules.hold_until(now, minutes)
    plan = {event.id: (event, {old.ticket_type_id: 1})}
    shown = proving.still_proves(old.proof, now.date())
    check_proof(event, plan[event.id][1], wanted, shown)
    first = len(held.order.registrations) + 1
    hold_places(held.order, plan, [old], first=first, until=until, now=now, proof=shown)


def _check(event: Event, wanted: Mapping[int, int], cart: Held | None, *, now: datetime) -> None:
    """Raise Refused if these places cannot be chosen; whether they are free is known only under the lock."""
    facts = event_rules.SaleFacts(
        event.state,
        event.enrollment,
        event.starts_at,
        event.opens_at,
        event.closes_at,
        None,
        joins_until(event),
    )
    refusal = event_rules.why_not_on_sale(facts, now) or rules.why_not_in_cart(
        currency=event.currency,
        cart_currency=cart.order.currency if cart else None,
        wanted=sum(wanted.values()),
        others=sum(r.event_id != event.id for r in cart.people) if cart else 0,
    )
    if refusal:
        raise Refused(refusal)
    on_sale = {t.id for t in event.ticket_types if t.on_sale and t.prices}
    if any(n < 0 or (n and t not in on_sale) for t, n in wanted.items()):
        raise NotFound(N_("There is no such ticket type."))


def _take_off(order: Order, registrations: Sequence[Registration], *, now: datetime) -> None:
    reason = _("Taken off before the order was placed.")
    end(order, registrations, S.CANCELLED, actor=ANONYMOUS, now=now, reason=reason, line=reason)


def _let_lapse(old: Held, order: Order, *, now: datetime) -> list[Registration]:
    """End what lapsed in the old order and give its payer to the new one; return the people to remember."""
    for name in ("first_name", "last_name", "email", "phone"):
        setattr(order, name, getattr(old.order, name))
    lapsed = [r for r in old.unpaid if r.id not in old.ends]
    reason = _("The time for which the place was held was over.")
    let_lapse(old.order, lapsed, actor=ANONYMOUS, now=now, reason=reason)
    return [r for r in old.order.registrations if r.state is S.EXPIRED]


def hold_places(
    order: Order,
    plan: Mapping[int, tuple[Event, Mapping[int, int]]],
    remembered: Sequence[Registration],
    *,
    first: int,
    until: datetime,
    now: datetime,
    behind: bool = False,
    shelves: Mapping[int, Shelf] | None = None,
    proof: Proof | None = None,
) -> int:
    """Write the new registrations down, claim all their places at once, and write the lines with their reasons.

    `first` is the number with which their codes begin; `behind`: whoever waits comes first; `shelves`: the
    events' pools, where they were read already. Returns how many remembered people got a place again.
    """
    shelves = shelves or shelves_of(plan)
    new = [
        _draft(order, event, ticket_type, shelves[event.id], proof, now=now)
        for event, more in plan.values()
        for ticket_type in event.ticket_types
        for _n in range(more.get(ticket_type.id, 0))
    ]
    if not new:
        return 0
    for n, r in enumerate(new, start=first):
        r.code = f"{order.code}-{n}"
    copied = _remember(new, remembered)
    db.session.add_all(new)
    db.session.flush()
    if copied:
        questions.copy_answers({old.id: r.id for old, r in copied}, now=now)
    _claim(order, new, plan, shelves, until=until, now=now, behind=behind)
    return len(copied)


def _claim(
    order: Order,
    new: Sequence[Registration],
    plan: Mapping[int, tuple[Event, Mapping[int, int]]],
    shelves: Mapping[int, Shelf],
    *,
    until: datetime,
    now: datetime,
    behind: bool,
) -> None:
    """Claim the places; whoever comes too late for an early one gets the regular price."""
    wish = want(new, shelves)
    got = capacity.claim(wish.wanted, now=now, until=until, up_to=wish.early, behind=behind)
    missed, reasons = {r for r, _pool in wish.early} - got, []
    types = {t.id: t for event, _more in plan.values() for t in event.ticket_types}
    for r in new:
        if r.id in missed:
            regular = price_at(types[r.ticket_type_id], Rate.REGULAR)
            share = share_of(plan[r.event_id][0], now)
            r.rate, r.price = Rate.REGULAR, to_pay(regular, share, order.currency)
        event, shelf = plan[r.event_id][0], shelves[r.event_id]
        full = full_price(r, types[r.ticket_type_id], event, shelf, now=now)
        if full is not None:  # else it is written a second time, for nothing
            r.full_price = full
        divide(r, event, now=now)
        why = price_words(r, event, shelf, now)
        add_line(order.id, r.id, LineKind.PLACE, why, r.price)
        reasons.append((why, r.price))
    audit.record(
        "order.places_held",
        ("order", order.id),
        actor=ANONYMOUS,
        now=now,
        order_id=order.id,
        after={
            "places": len(new),
            "until": until.isoformat(),
            "currency": order.currency,
            "prices": reasons,
        },
    )
    db.session.flush()


def _draft(
    order: Order,
    event: Event,
    ticket_type: TicketType,
    shelf: Shelf,
    proof: Proof | None,
    *,
    now: datetime,
) -> Registration:
    """Return a nameless registration at the rate that its hold will have, if the early places last."""
    rule = event_rules.EarlyRule(event.early_until, None if shelf.early_id is None else 1)
    rate = event_rules.rate_for(rule, price_of(ticket_type, Rate.EARLY) is not None, now)
    price = to_pay(price_at(ticket_type, rate), share_of(event, now), event.currency)
    token = tokens.new_token()
    return Registration(
        token=token,
        token_hash=tokens.hash_token(token),
        order_id=order.id,
        event_id=event.id,
        ticket_type_id=ticket_type.id,
        state=S.DRAFT,
        state_at=now,
        rate=rate,
        price=price,
        room_part=min(ticket_type.room_part, price),
        options_open=shelf.must_choose or ticket_type.proof is ProofKind.TRAINEE,
        policy_id=event.policy_id,
        promised_at=event.starts_at,
        proof=dict(proof) if proof and ticket_type.proof is ProofKind.MEMBER else None,
        created_at=now,
    )


def _remember(
    new: Sequence[Registration], remembered: Sequence[Registration]
) -> list[tuple[Registration, Registration]]:
    """Give the people of places that were let go to new places of the same event, the same type first."""
    if not remembered:
        return []
    taken = queries.list_live_keys(
        {r.event_id for r in remembered}, [r.email_key for r in remembered if r.email_key]
    )
    todo = [r for r in remembered if r.email and (r.event_id, r.email_key) not in taken]
    pairs = []
    for same_type in (True, False):
        for r in new:
            fits = (
                old
                for old in todo
                if old.event_id == r.event_id
                and (old.ticket_type_id == r.ticket_type_id or not same_type)
            )
            if not r.email and (old := next(fits, None)):
                todo.remove(old)
                for name in PERSON:
                    setattr(r, name, getattr(old, name))
                pairs.append((old, r))
    return pairs
