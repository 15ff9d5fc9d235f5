"""`regsys demo`."""

import click
from flask.cli import with_appcontext

from regsys.demo import services
from regsys.kernel import clock
from regsys.kernel.db import transaction


@click.command("demo")
@with_appcontext
def load_demo() -> None:
    """Load the demo society into an empty database.

    Example: regsys demo
    """
    with transaction():
        if not services.is_empty():
            click.echo("The database holds events already; the demo was not loaded.")
            return
        loaded = services.load(now=clock.now())
    click.echo(
        f"Loaded {loaded.events} events, {loaded.orders} orders and {loaded.registrations} registrations, "
        f"shifted by {loaded.weeks} weeks."
    )
    click.echo("Left out for now: " + "; ".join(loaded.left_out) + ".")


commands = [load_demo]
