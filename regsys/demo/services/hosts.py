"""The host of the intensive on the road, the seats that are kept for it, and who asks for one."""

from datetime import timedelta
from typing import Any

from regsys.accounts.models import User
from regsys.capacity import services as capacity
from regsys.demo.services.calendar import Calendar
from regsys.demo.services.programme import Programme
from regsys.hosts.kinds import Pays
from regsys.hosts.models import Host, SeatRequest, host_place
from regsys.hosts.queries import list_seats
from regsys.hosts.states import RequestState
from regsys.kernel.db import db
from regsys.kernel.text import email_key
from regsys.registration.kinds import OrderSource
from regsys.registration.models import Order

Rows = dict[str, Any]


def load_hosts(
    data: Rows,
    programme: Programme,
    orders: dict[str, Order],
    users: dict[str, User],
    calendar: Calendar,
) -> None:
    """Load the hosts; places are kept for their seats without a name."""
    organisations = {w["id"]: w["name"] for w in data["workplaces"]}
    for row in data["events"]:
        if "host" in row:
            host = _make(row, programme, orders, users, organisations, calendar)
            db.session.add(host)
            db.session.flush()
            _keep_places(host, row, programme, calendar)
            db.session.add_all(_make_request(host, r, calendar) for r in row["seat_requests"])


def _make(
    row: Rows,
    programme: Programme,
    orders: dict[str, Order],
    users: dict[str, User],
    organisations: dict[str, str],
    calendar: Calendar,
) -> Host:
    event, agreed = programme.events[row["id"]], row["host"]["contract"]
    user, order = users[row["host"]["coordinator"]], orders[row["host"]["order"]]
    order.source, order.held_until = OrderSource.HOST, event.starts_at
    signed = calendar.start_of(agreed["signed_on"], event.time_zone) + timedelta(hours=10)
    return Host(
        event=event,
        organisation=organisations[row["host"]["workplace"]],
        first_name=user.first_name,
        last_name=user.last_name,
        email=user.email,
        user_id=user.id,
        invited_at=signed,
        created_at=signed,
        seats=row["capacity"],
        ticket_type_id=event.ticket_types[0].id,
        pays=Pays.HOST,
        agreed_sum=agreed["total"],
        names_until=calendar.end_of(row["swap_until"], event.time_zone),
        order_id=order.id,
    )


def _keep_places(host: Host, row: Rows, programme: Programme, calendar: Calendar) -> None:
    pool = programme.pools[row["id"], "total"]
    count = host.seats - len(list_seats(host.event_id))
    claims = capacity.hold([pool.id], count, now=calendar.loaded_at, until=host.event.starts_at)
    rows = [{"host_id": host.id, "claim_id": c} for c in claims]
    db.session.execute(host_place.insert(), rows)


def _make_request(host: Host, row: Rows, calendar: Calendar) -> SeatRequest:
    at = calendar.moment(row["at"])
    return SeatRequest(
        host_id=host.id,
        state=RequestState.WAITING,
        state_at=at,
        created_at=at,
        email_key=email_key(row["email"]),
        **{k: row[k] for k in ("first_name", "last_name", "email")},
    )
