"""`regsys reconcile`."""

import sys
from datetime import UTC, datetime

import click

from regsys.kernel import clock
from regsys.kernel.actors import Actor
from regsys.kernel.db import transaction
from regsys.payments import bookkeeping, books
from regsys.payments.books import Books
from regsys.payments.reconcile import reconcile as compare
from regsys.payments.statement import show

COMMAND = Actor("system", label="regsys reconcile")
_day = click.DateTime(["%Y-%m-%d"])


@click.command("reconcile")
@click.option("--since", type=_day, help="First day, UTC; else everything.")
@click.option("--until", type=_day, help="The day after the last one, UTC; else now.")
def reconcile(since: datetime | None, until: datetime | None) -> None:
    """Hold payments, refunds, fees and payouts against Stripe's books; exit code 1 if anything is odd.

    What agrees and waits for a person (a refund that failed) is named, too, and not odd.

    Example: regsys reconcile --since 2027-01-01
    """
    with transaction():
        made = bookkeeping.start(
            since=since and since.replace(tzinfo=UTC),
            until=until and until.replace(tzinfo=UTC),
            actor=COMMAND,
            now=clock.now(),
        ).id
    found = compare(made, tell=_tell)
    for line in _lines(found):
        click.echo(line)
    sys.exit(1 if found.odd else 0)


def _tell(what: str, count: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"{count} {what} read", err=True)


def _lines(found: Books) -> list[str]:
    lines = [f"{found.matched} charges agree; {found.foreign} on the account are not ours."]
    if found.fees:
        lines.append(f"{len(found.fees)} fees were missing and are filled in.")
    for currency, sums in sorted(found.totals.items()):
        parts = {
            "came": sums.gross, "given back": sums.refunds, "other": sums.other, "fees": -sums.fees,
            "net": sums.net, "paid out": sums.paid_out, "still at Stripe": sums.left,
        }  # fmt: skip
        said = ", ".join(f"{k} {show(v, currency)}" for k, v in parts.items())
        lines.append(f"{currency}: {said}.")
    if found.payouts:
        agree = sum(1 for p in found.payouts if p.agrees and not p.has_failed)
        lines.append(f"{agree} of {len(found.payouts)} payouts are the sum of what is in them.")
    for mark, all_of in (("TO DO", found.known), ("ODD  ", found.odd)):
        for one in all_of:
            what, advice = books.SENTENCES[one.kind]
            lines += [f"{mark} {what % dict(one.facts)}", f"      → {advice % dict(one.facts)}"]
    return [
        *lines,
        "Everything agrees to the cent." if not found.odd else f"Odd: {len(found.odd)}.",
    ]


commands = [reconcile]
