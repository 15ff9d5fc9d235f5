"""A whole society to visit: the demo as loaded on the frozen day, and one of each thing in it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from flask import Flask
from sqlalchemy import Select, select

from regsys.accounts.models import User
from regsys.content.models import Inquiry, NewsItem, Page
from regsys.events.kinds import Enrollment, Visibility
from regsys.events.models import Event, Leader, Venue
from regsys.events.states import EventState
from regsys.kernel.db import db
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState

T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """Looks things up in the demo; the rows are detached, so use their own columns only."""

    app: Flask

    def first(self, query: "Select[tuple[T]]") -> T:
        """Return the first row; a sample of something that the demo lacks is an error."""
        with self.app.app_context():
            row = db.session.scalars(query.limit(1)).first()
            assert row is not None, f"the demo has nothing for {query}"
            db.session.expunge_all()
            return row

    @cached_property
    def event(self) -> Event:
        """An event that is public, open and sells places."""
        return self.first(self._events(Enrollment.OPEN).join(Event.ticket_types))

    @cached_property
    def external_event(self) -> Event:
        return self.first(self._events(Enrollment.EXTERNAL))

    @cached_property
    def contact_event(self) -> Event:
        return self.first(self._events(Enrollment.CONTACT_LEADER))

    @staticmethod
    def _events(enrollment: Enrollment) -> "Select[tuple[Event]]":
        return (
            select(Event)
            .where(Event.state == EventState.PUBLISHED)
            .where(Event.visibility == Visibility.PUBLIC, Event.enrollment == enrollment)
            .order_by(Event.starts_at.desc())
        )

    @cached_property
    def registration(self) -> Registration:
        """A confirmed registration of `event`."""
        confirmed = Registration.state == RegistrationState.CONFIRMED
        return self.first(
            select(Registration).where(confirmed, Registration.event_id == self.event.id)
        )

    @cached_property
    def order(self) -> Order:
        """The order of `registration`."""
        return self.first(select(Order).where(Order.id == self.registration.order_id))

    @cached_property
    def page(self) -> Page:
        return self.first(select(Page).where(Page.slug != "home", Page.published))

    @cached_property
    def news_item(self) -> NewsItem:
        return self.first(select(NewsItem).where(NewsItem.published))

    @cached_property
    def inquiry(self) -> Inquiry:
        return self.first(select(Inquiry))

    @cached_property
    def venue(self) -> Venue:
        return self.first(select(Venue))

    @cached_property
    def leader(self) -> Leader:
        return self.first(select(Leader))

    @cached_property
    def user(self) -> User:
        return self.first(select(User))
