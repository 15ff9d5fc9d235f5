"""Loading the demo."""

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

import yaml
from sqlalchemy import select

from regsys.accounts.services import hash_password
from regsys.demo.services.aid import load_aid
from regsys.demo.services.applications import load_applications
from regsys.demo.services.calendar import make_calendar
from regsys.demo.services.hosts import load_hosts
from regsys.demo.services.members import load_members
from regsys.demo.services.papers import write_papers
from regsys.demo.services.people import load_orders
from regsys.demo.services.prices import add_up_prices, load_codes, load_options
from regsys.demo.services.programme import load_programme
from regsys.demo.services.society import (
    grant_roles,
    load_inquiries,
    load_leaders,
    load_pages,
    load_users,
)
from regsys.demo.services.waiting import load_waiting
from regsys.events.models import Event
from regsys.kernel.db import db

PASSWORD = "ten chairs in a ring"

# What the data file holds and no room takes yet.
LEFT_OUT = (
    "small groups and keep-apart notes",
    "attendance",
    "letters' own texts",
)


@dataclass(frozen=True)
class Loaded:
    """What was loaded: counts by thing, and the shift in weeks."""

    weeks: int
    events: int
    registrations: int
    orders: int
    left_out: tuple[str, ...] = LEFT_OUT


def read() -> dict[str, Any]:
    """Return the data file as it stands."""
    text = files("regsys.demo").joinpath("demo.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data: dict[str, Any] = yaml.load(text, Loader=loader)
    return data


def is_empty() -> bool:
    """Tell whether nothing is there yet: the demo is loaded into an empty house only."""
    return db.session.scalar(select(Event.id).limit(1)) is None


def load(*, now: datetime) -> Loaded:
    """Load the demo with its dates shifted by whole weeks."""
    data = read()
    calendar = make_calendar(data["meta"], data["organisation"]["site_time_zone"], now=now)
    data = {k: v if k == "meta" else calendar.shifted(v) for k, v in data.items()}
    users = load_users(data, hash_password(PASSWORD), now=now)
    leaders = load_leaders(data, now=now)
    programme = load_programme(data, leaders, calendar)
    grant_roles(data, users, programme.event_ids)
    load_pages(data, programme.event_ids, now=now)
    load_inquiries(data, calendar, users)
    orders, registrations = load_orders(data, programme, calendar)
    db.session.flush()
    load_options(data, programme, registrations, now=now)
    add_up_prices(registrations)
    load_codes(data, programme, registrations, now=now)
    load_applications(data, programme, registrations, {**users, **leaders}, calendar)
    load_waiting(data, programme, orders, calendar)
    load_members(data, calendar)
    load_hosts(data, programme, orders, users, calendar)
    db.session.flush()
    load_aid(data, programme, registrations, calendar)
    write_papers(data, orders, calendar)
    return Loaded(calendar.weeks, len(programme.events), len(data["registrations"]), len(orders))
