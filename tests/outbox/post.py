"""What the outbox tests share: a letter, and the worker's hand."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Flask

from regsys.kernel.db import db, transaction
from regsys.kernel.settings import Settings
from regsys.outbox import jobs, services
from regsys.outbox.compose import Draft
from regsys.outbox.models import Message
from tests.support.smtp import SmtpServer

MakeApp = Callable[[Settings], Flask]
ICS = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Käfer\r\nEND:VCALENDAR\r\n"


def draft(key: str = "confirm:1", **changes: Any) -> Draft:
    """Return a letter with a secret link, an umlaut and a calendar."""
    known: dict[str, Any] = {
        "kind": "registration.confirmed",
        "to_name": "Lysander Saltmärsh",
        "to_email": "lysander@example.org",
        "subject": "You are registered: Leadership Training Intensive, Spokane 2027 — grüß Gott",
        "text": "Dear Lysander,\n\nyour page:\n\n    [[link:order]]\n\n.\n..dots\n",
        "html": "<html><head></head><body><a href='[[link:order]]'>Open your page</a></body></html>",
        "links": {"order": "https://circle.example.org/r/7Hq2mXw9?a=1&b=2"},
        "attachments": [
            {"filename": "calendar.ics", "type": "text/calendar; method=REQUEST", "text": ICS}
        ],
    }
    return Draft(key=key, **{**known, **changes})


def put(letter: Draft, *, now: datetime) -> int:
    """Enqueue a letter in a transaction of its own and return its id."""
    with transaction():
        return services.enqueue(letter, now=now).id


def send(message_id: int) -> datetime | None:
    """Do what the worker does with the letter's job."""
    return jobs.send({"message": message_id})


def read(message_id: int) -> Message:
    """Read the letter afresh."""
    db.session.rollback()
    return db.session.get_one(Message, message_id, populate_existing=True)


def at(server: SmtpServer, settings: Settings, **more: Any) -> Settings:
    """Return settings that send by this server."""
    return settings.replace(**server.settings(), **more)
