"""The payer's page, behind its secret link: how things stand, and what can still be changed before paying."""

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events import queries as events
from regsys.kernel import clock
from regsys.kernel.actors import payer
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_, whole_number
from regsys.ledger import queries as ledger
from regsys.ledger.states import Problem
from regsys.registration import mail, queries, rules, services
from regsys.registration.forms import CodeForm
from regsys.registration.models import Order, Registration
from regsys.registration.moved import may_ask_to_move
from regsys.registration.owing import due_first, rest_at, split_places
from regsys.registration.public.base import blueprint, bring_along, find_cart, keep_cart, words
from regsys.registration.queries import Held
from regsys.registration.rules import OrderState
from regsys.registration.states import LIVE
from regsys.registration.states import RegistrationState as S
from regsys.registration.words import lines_by_person
from regsys.web.guard import public
from regsys.web.urls import absolute, settings


@blueprint.get("/o/<token>")
@public
def order(token: str) -> ResponseReturnValue:
    """Show the payer how their order stands."""
    now = clock.now()
    held = get_held(token, now)
    if held.order.placed_at is None:
        keep_cart(held.order)
        return redirect(url_for(".cart"), 303)
    return show_order(held, now)


def get_held(token: str, now: datetime) -> Held:
    """Get an order by the secret of its link; raise NotFound."""
    held = queries.find_held(token, now=now)
    if held is None:
        raise NotFound(N_("There is no such order."))
    return held


def show_order(
    held: Held,
    now: datetime,
    *,
    refusal: str | None = None,
    form: CodeForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """Show how an order stands; with a form for a code where its price may still be lowered."""
    found = held.order
    payments, lines = ledger.payments_of([found.id]), queries.list_lines(found.id)
    first = sum(r.deposit or 0 for r in split_places(found))
    balance = ledger.sums_in(payments).balance(sum(n.amount for n in lines), deposit=first)
    documents = ledger.documents_of([found.id])
    states = {r.state for r in found.registrations}
    state = rules.order_state(states, due=balance.due, holding=held.holding, ends_at=held.ends_at)
    live = [r for r in found.registrations if r.state in LIVE]
    may_lower = state is OrderState.TO_PAY and found.by_link and held.ends_at is not None
    return render_template(
        "registration/order.html",
        order=found,
        held=held,
        live=live or found.registrations,
        own=own_place(found),
        now_due=due_first(found, balance, now=now),
        rest_at=rest_at(found),
        share_url=absolute("payments.shared", token=found.share_token) if found.share_token else "",
        moving=[r for r in held.unpaid if r.moved_from_id],
        may_ask_to_move=may_ask_to_move,
        state=state,
        balance=balance,
        # What was written down by mistake never came, and is none of the payer's.
        payments=[p for p in payments if p.problem is not Problem.MISTAKE],
        lines=lines,
        costs={i: sum(n.amount for n in own) for i, own in lines_by_person(lines).items()},
        documents=documents,
        void=ledger.corrected_ids(documents),
        may_remove=state is OrderState.TO_PAY and len(held.unpaid) > 1,
        seconds=(held.ends_at - now).total_seconds() if held.ends_at else 0,
        zone=found.registrations[0].event.time_zone,
        where=mail.where,
        places=events.places_of([found.registrations[0].event_id], now=now)[
            found.registrations[0].event_id
        ],
        refusal=refusal,
        form=form or CodeForm(formdata=None),
        may_lower=may_lower,
        has_options=may_lower
        and any(o.on_sale for o in events.list_options({r.event_id for r in held.unpaid})),
        now=now,
    ), 409 if refusal else status


def own_place(found: Order) -> Registration | None:
    """Return the payer's own confirmed place: its page and calendar are theirs too."""
    key = found.email.casefold()
    mine = (r for r in found.registrations if r.email_key == key and r.state is S.CONFIRMED)
    return next(mine, None)


@blueprint.post("/o/<token>/remove")
@public
def order_remove(token: str) -> ResponseReturnValue:
    """Take one person off before paying."""
    now = clock.now()
    found = get_held(token, now).order
    order_id, place = found.id, whole_number(request.form.get("place", "")) or 0
    actor = payer(found.payer_name)
    try:
        with transaction():
            services.remove_person(order_id, place, actor=actor, now=now)
    except Refused as e:
        return show_order(get_held(token, now), now, refusal=words(e.refusal))
    flash(_("It is done, and the sum is smaller now."), "good")
    return redirect(url_for(".order", token=token), 303)


@blueprint.post("/o/<token>/again")
@public
def order_again(token: str) -> ResponseReturnValue:
    """Begin again with the people of an order whose places were let go."""
    now = clock.now()
    found = get_held(token, now).order
    running = find_cart(now)
    if running and running.holding and not running.order.placed_at and _same(running.order, found):
        return redirect(url_for(".go_on"), 303)
    order_id = found.id
    try:
        with transaction():
            cart = services.take_again(order_id, minutes=settings().HOLD_MINUTES, now=now)
    except Refused as e:
        return show_order(get_held(token, now), now, refusal=words(e.refusal))
    keep_cart(cart)
    flash(_("Your places are held again. Please look at everything once more, then pay."), "good")
    bring_along(order_id, cart.id, now)
    return redirect(url_for(".go_on"), 303)


@blueprint.post("/o/<token>/take")
@public
def order_take(token: str) -> ResponseReturnValue:
    """Take an offered place for which nothing is to pay."""
    now = clock.now()
    found = get_held(token, now).order
    order_id, actor = found.id, payer(found.payer_name)
    try:
        with transaction():
            services.take_offer(order_id, actor=actor, now=now)
    except Refused as e:
        return show_order(get_held(token, now), now, refusal=words(e.refusal))
    return redirect(url_for(".order", token=token), 303)


@blueprint.route("/o/<token>/decline", methods=["GET", "POST"])
@public
def order_decline(token: str) -> ResponseReturnValue:
    """Ask once more, then give an offered place back."""
    now = clock.now()
    held = get_held(token, now)
    found = held.order
    if not found.offered or not held.holding:
        return redirect(url_for(".order", token=token), 303)
    if request.method == "GET":
        return render_template("registration/decline.html", order=found, r=held.unpaid[0])
    order_id, actor = found.id, payer(found.payer_name)
    try:
        with transaction():
            services.decline_offer(order_id, actor=actor, now=now)
    except Refused as e:
        return show_order(get_held(token, now), now, refusal=words(e.refusal))
    flash(_("You have given the place back. Thank you for telling us."), "good")
    return redirect(url_for(".order", token=token), 303)


def _same(cart: Order, found: Order) -> bool:
    """Tell whether the cart holds the same people already: a second click begins nothing new."""
    people = {(r.event_id, r.email_key) for r in found.registrations if r.state is S.EXPIRED}
    return people <= {(r.event_id, r.email_key) for r in cart.registrations}
