"""Refund rules in words: what comes back, why, and the table with dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from flask_babel import gettext as _

from regsys.kernel.text import N_
from regsys.kernel.zones import wall_time
from regsys.policies.models import RefundPolicy
from regsys.policies.rules import (
    About,
    Ahead,
    Allowed,
    Amounts,
    Back,
    Facts,
    Refund,
    Row,
    Taker,
    Terms,
    Why,
    is_let_go,
    read,
    table,
)
from regsys.web.html import day, deadline, money


@dataclass(frozen=True)
class RefundTable:
    """What a buyer sees: the rows, over a column for each price. `zone` is the one of the deadlines."""

    rows: Sequence[Row]
    heads: Sequence[str]
    terms: Terms
    currency: str
    zone: str

    @property
    def note(self) -> str:
        return self.terms.note


def table_of(
    policy: RefundPolicy, prices: Sequence[tuple[str, Amounts]], facts: Facts, currency: str
) -> RefundTable:
    """Return the table of a policy for these prices, each with its heading."""
    return table_of_terms(read(policy.body), prices, facts, currency)


def table_of_terms(
    terms: Terms, prices: Sequence[tuple[str, Amounts]], facts: Facts, currency: str
) -> RefundTable:
    """Return the table of terms that may not be saved yet."""
    rows = table(terms, [amounts for _head, amounts in prices], facts)
    heads = [head for head, _amounts in prices]
    return RefundTable(rows, heads, terms, currency, terms.zone or facts.zone)


def row_when(row: Row, zone: str) -> str:
    """Return the span of a row: "until Sun 21 Feb 2027, 11:59 PM PST", or "from Wed 24 Mar 2027"."""
    if row.until is not None:
        return _("until %(time)s", time=deadline(row.until, zone))
    if row.since is None:
        return _("At any time")
    if wall_time(row.since, zone).time() == time():
        return _("from %(day)s", day=day(row.since, zone))
    return _("after %(time)s", time=deadline(row.since, zone))


def row_words(row: Row, table: RefundTable) -> str:
    """Return what a row gives, in words: "everything but $75.00"."""
    # Where one of the prices has a room, its rule says what counts for the others too.
    made = next((r for r in row.refunds if r.room is not None), row.refunds[0])
    words = [share_words(made, table.terms, table.currency)]
    if any(line.about is About.DEPOSIT for r in row.refunds for line in r.lines):
        deposit = money(table.terms.deposit, table.currency)
        words.append(_("at least the deposit of %(deposit)s stays with us", deposit=deposit))
    if row.again:
        amounts = dict.fromkeys(money(r.amount, table.currency) for r in row.again)
        again = " / ".join(amounts)
        words.append(_("if somebody takes your place: %(amount)s", amount=again))
    return "; ".join(words)


def share_words(made: Refund, terms: Terms, currency: str) -> str:
    """Return which share a refund is by its rule, for the room apart where that has its own."""
    share = back_words(made.back, terms, currency)
    if made.room is None:
        return share
    room = back_words(made.room, terms, currency)
    if made.room_waits:
        room = _("%(share)s, if the house releases it", share=room)
    if made.room == made.back and not made.room_waits:
        return share
    return _("for taking part %(part)s; for the room %(room)s", part=share, room=room)


def back_words(back: Back, terms: Terms, currency: str) -> str:
    """Return what a rule gives back, in words."""
    if not back.percent:
        return _("nothing")
    charges = [back.minus] if back.minus else []
    charges += [terms.venue] if back.venue and terms.venue else []
    share = _share(back.percent)
    if not charges:
        return share
    less = money(sum(charges), currency)
    if back.venue and terms.venue:
        less = _(
            "%(amount)s (%(venue)s of it is what the house charges)",
            amount=less,
            venue=money(terms.venue, currency),
        )
    if back.percent == 100:
        return _("everything but %(amount)s", amount=less)
    return _("%(share)s, less %(amount)s", share=share, amount=less)


def _share(percent: int) -> str:
    if percent == 100:
        return _("everything")
    return _("half") if percent == 50 else _("%(percent)s%%", percent=percent)


# ---- one refund, explained


LINES = {
    About.PAID: N_("Paid"),
    About.PROGRAMME: N_("Paid for taking part"),
    About.ROOM: N_("Paid for the room"),
    About.SHARE: N_("Kept at this date"),
    About.FEE: N_("Flat fee"),
    About.VENUE: N_("What the house charges for the place"),
    About.DEPOSIT: N_("The rest of the deposit, which stays with us"),
}
REASONS = {
    Why.IN_TIME: N_("Until %(until)s this comes back: %(share)s."),
    Why.TOO_LATE: N_("At this date nothing comes back any more."),
    Why.BEGUN: N_("It has begun. From then on this comes back: %(share)s."),
    Why.NO_SHOW: N_("For somebody who did not come: %(share)s."),
    Why.REFILLED: N_("Somebody has taken the place, so this comes back: %(share)s."),
    Why.SOCIETY: N_("We called it off, so everything comes back."),
}


def refund_lines(made: Refund) -> list[tuple[str, int]]:
    """Return the sum line by line: what each is, and the amount in minor units."""
    return [(_(LINES[line.about]), line.amount) for line in made.lines]


def refund_why(made: Refund, terms: Terms, currency: str, zone: str) -> str:
    """Return why it is this much, in one or two sentences."""
    share = share_words(made, terms, currency)
    until = _until(made.until, terms.zone or zone)
    said = _(REASONS[made.why], until=until, share=share)
    if made.room_waits:
        waits = _("What is for the room is given back later, if the house releases it.")
        return f"{said} {waits}"
    return said


def _until(until: datetime | None, zone: str) -> str:
    return deadline(until, zone) if until else ""


def explain(made: Refund, terms: Terms, currency: str, zone: str) -> str:
    """Return a refund on one line, for letters and books: "Paid $920.00, flat fee −$75.00: $845.00."."""
    parts = [f"{label} {money(amount, currency)}" for label, amount in refund_lines(made)]
    why = refund_why(made, terms, currency, zone)
    return _(
        "%(why)s %(sum)s: %(amount)s back.",
        why=why,
        sum=", ".join(parts),
        amount=money(made.amount, currency),
    )


# ---- the other rules


def ahead_words(ahead: Ahead) -> str:
    """Return how long before: "1 month and 2 days before"."""
    parts = []
    if ahead.months:
        parts.append(_("%(n)s months", n=ahead.months) if ahead.months > 1 else _("one month"))
    if ahead.days or not ahead.months:
        parts.append(_("%(n)s days", n=ahead.days) if ahead.days != 1 else _("one day"))
    return _(" and ").join(parts)


def other_rules(terms: Terms, currency: str) -> list[str]:
    """Return what else the policy says, a sentence for each rule."""
    return [
        s
        for s in (
            _down(terms, currency),
            _substitute(terms, currency),
            _transfer(terms, currency),
            _credit(terms),
        )
        if s
    ]


def _down(terms: Terms, currency: str) -> str:
    rule = terms.down
    if rule is None:
        return ""
    first = money(rule.amount, currency) if rule.amount else f"{rule.percent}%"
    said = _(
        "Your place is sure for a deposit of %(first)s; the rest is due %(time)s before it begins.",
        first=first,
        time=ahead_words(rule.rest),
    )
    return f"{said} {unpaid_words(terms)}"


def unpaid_words(terms: Terms) -> str:
    """Return what happens where the rest is not paid, as one reads it before paying."""
    days = terms.down.grace if terms.down else 0
    if not is_let_go(terms):
        return _("If it is not paid by then, we ask you again, and your place is kept.")
    if not days:
        return _(
            "If it is not paid by then, your place is let go, and what comes back follows the table of that day."
        )
    return _(
        "We remind you; if it is not paid %(n)s days after that, your place is let go, and what comes back follows "
        "the table of that day.",
        n=days,
    )


def _substitute(terms: Terms, currency: str) -> str:
    rule = terms.substitute
    if rule.allowed is Allowed.NO:
        return ""
    who = {
        Taker.ANYONE: _("A colleague may take your place"),
        Taker.EMPLOYER_PAID: _("Where an employer paid, a colleague may take your place"),
        Taker.SAME_WORKPLACE: _("A colleague of the same workplace may take your place"),
    }[rule.taker]
    parts = [who, *_conditions(rule.allowed, rule.until, rule.fee, currency)]
    return ", ".join(parts) + "."


def _transfer(terms: Terms, currency: str) -> str:
    rule = terms.transfer
    if rule.allowed is Allowed.NO:
        return ""
    parts = [_("You may move to another event within %(n)s months", n=rule.within_months)]
    return ", ".join([*parts, *_conditions(rule.allowed, rule.until, rule.fee, currency)]) + "."


def _conditions(allowed: Allowed, until: Ahead, fee: int, currency: str) -> list[str]:
    parts = [_("if we agree")] if allowed is Allowed.APPROVAL else []
    if until != Ahead():
        parts.append(_("until %(time)s before", time=ahead_words(until)))
    if fee:
        parts.append(_("for %(fee)s", fee=money(fee, currency)))
    return parts


def _credit(terms: Terms) -> str:
    if not terms.credit.months:
        return ""
    if terms.credit.what == "deposit":
        return _("The deposit counts for an event within %(n)s months.", n=terms.credit.months)
    return _("What we keep counts for an event within %(n)s months.", n=terms.credit.months)
