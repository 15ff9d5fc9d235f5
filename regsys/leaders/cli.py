"""`regsys roster`."""

import click

from regsys.events.queries import find_event
from regsys.kernel import clock
from regsys.kernel.actors import Actor
from regsys.kernel.db import transaction
from regsys.leaders import queries, services
from regsys.leaders.queries import Person

COMMAND = Actor("system", label="regsys roster")


@click.command("roster")
@click.argument("event_slug")
@click.option("--send", is_flag=True, help="Mail it to the event's leaders, too.")
def roster(event_slug: str, send: bool) -> None:
    """Print who comes to an event, as its leaders see it.

    Example: regsys roster introductory-intensive --send
    """
    event = find_event(event_slug)
    if event is None:
        raise click.ClickException(
            f"There is no event {event_slug!r}; its slug stands in its address."
        )
    people = queries.get_roster(event.id).people
    click.echo(f"{event.title}: {len(people)} confirmed")
    for person in people:
        click.echo(_line(person))
    if send:
        _send(event.id)


def _line(person: Person) -> str:
    named = [person.name, person.credentials, person.pronouns, person.profession, person.workplace]
    return "  " + ", ".join(part for part in named if part)


def _send(event_id: int) -> None:
    now = clock.now()
    with transaction():
        leaders = queries.list_recipients(event_id)
        names = services.mail_to(event_id, leaders, actor=COMMAND, now=now)
    click.echo(f"On its way to {', '.join(names)}." if names else "It has no leaders who sign in.")


commands = [roster]
