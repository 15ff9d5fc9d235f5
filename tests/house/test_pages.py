"""All pages are visited: they open for those who may, and for nobody else."""

from datetime import datetime

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.accounts import services
from regsys.accounts.kinds import Role
from regsys.accounts.models import User
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from tests.conftest import Clock
from tests.house.visiting import list_foreign_addresses, list_guarded, list_stops, roles_of
from tests.world import World

# Pages that not even an owner may open.
OWN = (("leader",), ("committee",))


def status_of(client: FlaskClient, address: str) -> int:
    """Return the status of a GET."""
    return client.get(address).status_code


def browsers(world: World) -> dict[str, FlaskClient]:
    """Sign somebody in for each role that a page may ask for."""
    roles = ("owner", "registrar", "leader", "committee")
    return {role: world.sign_in(world.user_with(role)) for role in roles}


def test_every_page_opens_for_those_who_may(world: World) -> None:
    signed_in, visitor = browsers(world), world.visitor()
    problems = []
    for stop in list_stops(world):
        role = stop.roles[0] if stop.roles in OWN else "owner"
        client = signed_in[role] if stop.roles else visitor
        status = status_of(client, stop.address)
        if status not in (200, 303):
            problems.append(stop.says(status, "200 or 303"))
    assert problems == []


def test_a_guarded_page_sends_a_visitor_to_sign_in(world: World) -> None:
    visitor = world.app.test_client()
    problems = []
    for stop in list_guarded(world):
        answer = visitor.get(stop.address)
        if answer.status_code != 303 or not answer.location.startswith("/signin?next="):
            problems.append(stop.says(answer.status_code, "303 to /signin"))
    assert problems == []
    assert len(list_guarded(world)) > 10


def test_a_guarded_page_is_closed_to_other_roles(world: World) -> None:
    signed_in = browsers(world)
    problems = []
    for stop in list_guarded(world):
        role = "registrar" if stop.roles == ("leader",) else "leader"
        if role in stop.roles:
            continue  # everybody's own account
        status = status_of(signed_in[role], stop.address)
        if status not in (403, 404):
            problems.append(stop.says(status, f"403 for a {role}"))
    assert problems == []


def test_the_pages_of_an_event_are_closed_to_the_registrar_of_another(
    world: World, clock: Clock
) -> None:
    stops = [s for s in list_guarded(world) if "event_id" in s.rule.arguments]
    client = world.sign_in(registrar_of(world, world.external_event.id, clock.now))
    problems = [
        stop.says(status, "403")
        for stop in stops
        if (status := status_of(client, stop.address)) not in (403, 404)
    ]
    assert problems == []
    assert len(stops) > 2


def registrar_of(world: World, event_id: int, now: datetime) -> User:
    """Add a registrar who may work on one event only."""
    with world.app.app_context():
        with transaction():
            user_id = services.add_user(
                "nora.narrow@example.org",
                first_name="Nora",
                last_name="Narrow",
                grants=[(Role.REGISTRAR, event_id)],
                actor=SYSTEM,
                now=now,
            )
        db.session.remove()
    return world.first(select(User).where(User.id == user_id))


def test_nothing_answers_for_things_that_do_not_exist(world: World) -> None:
    owner, visitor = browsers(world)["owner"], world.visitor()
    problems = []
    for rule, address in list_foreign_addresses(world.app):
        status = status_of(owner if roles_of(world.app, rule) else visitor, address)
        if status not in (403, 404):
            problems.append(f"{rule.endpoint} {address} answered {status}, expected 404")
    assert problems == []


def test_no_guarded_door_takes_a_post_from_a_visitor(demo_app: Flask) -> None:
    demo_app.config["WTF_CSRF_ENABLED"] = False
    urls, visitor = demo_app.url_map.bind("localhost"), demo_app.test_client()
    problems, tried = [], 0
    for rule in demo_app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and roles_of(demo_app, rule):
            address = urls.build(rule.endpoint, dict.fromkeys(rule.arguments, 1), method="POST")
            status = visitor.post(address).status_code
            tried += 1
            if status != 403:
                problems.append(f"POST {address} answered {status}, expected 403")
    assert problems == []
    assert tried > 10
