"""`regsys user`."""

import click

from regsys.accounts import queries, rules, services
from regsys.accounts.kinds import Purpose, Role
from regsys.kernel import clock
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import transaction
from regsys.web.urls import absolute


@click.group("user")
def user() -> None:
    """Add people who sign in."""


@user.command("add")
@click.argument("email")
@click.option("--first", required=True, help="First name.")
@click.option("--last", required=True, help="Last name.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([str(r) for r in Role]),
    help="What the person may do; may be given several times. Leaders need none.",
)
@click.option(
    "--event", help="Slug of the one event for which the roles hold; without it, for all."
)
@click.option("--link", is_flag=True, help="Print a link for setting a password; ask for none now.")
def add(
    email: str, first: str, last: str, roles: tuple[str, ...], event: str | None, link: bool
) -> None:
    """Add a person who signs in.

    Example: regsys user add tilda@example.org --first Tilda --last Marchbanks --role registrar
    """
    granted = [Role(role) for role in roles]
    grants = [(role, _event_id(event)) for role in granted]
    by_password = rules.is_organizer(granted)
    password_hash = None
    if by_password and not link:
        password_hash = services.hash_password(_ask_password(email, f"{first} {last}"))
    now = clock.now()
    token = None
    with transaction():
        user_id = services.add_user(
            email,
            first_name=first,
            last_name=last,
            grants=grants,
            password_hash=password_hash,
            actor=SYSTEM,
            now=now,
        )
        if by_password and link:
            life = rules.INVITATION_LIFE
            token = services.new_link(user_id, Purpose.SET_PASSWORD, now=now, life=life)
    click.echo(f"{first} {last} is added.")
    if token:
        click.echo("With this link, good for three days, they set their password:")
        click.echo(absolute("accounts.new_password", token=token))
    elif not by_password:
        click.echo(f"They sign in by a mailed link at {absolute('accounts.sign_in')}")


def _event_id(slug: str | None) -> int | None:
    if slug is None:
        return None
    found = queries.find_event_id(slug)
    if found is None:
        raise click.ClickException(f"There is no event {slug!r}; its slug stands in its address.")
    return found


def _ask_password(email: str, name: str) -> str:
    """Ask until the password is good enough."""
    while True:
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more")
        problem = rules.password_problem(password, email=email, name=name)
        if problem is None:
            return password
        click.echo(problem)


commands = [user]
