"""A whole society to visit: the demo as loaded on the frozen day, and one of each thing in it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Select, select

from regsys.accounts import services
from regsys.accounts.models import Grant, User
from regsys.accounts.setup import TOKEN
from regsys.content.models import Inquiry, NewsItem, Page
from regsys.events.kinds import Enrollment, Visibility
from regsys.events.models import Assignment, Event, Leader, Venue
from regsys.events.states import EventState
from regsys.kernel import clock
from regsys.kernel.db import db, transaction
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

    def user_with(self, *roles: str) -> User:
        """Return somebody who may do one of these things for all events; a leader for "leader"."""
        if roles == ("leader",):
            return self.first(select(User).join(Leader, Leader.user_id == User.id).join(Assignment))
        everywhere = Grant.event_id.is_(None)
        return self.first(select(User).join(Grant).where(Grant.role.in_(roles), everywhere))

    def sign_in(self, user: User) -> FlaskClient:
        """Return a browser in which this person is signed in."""
        with self.app.app_context():
            with transaction():
                token = services.start_session(
                    user.id, how="password", old_token=None, now=clock.now()
                )
            db.session.remove()
        client = self.app.test_client()
        with client.session_transaction() as session:
            session[TOKEN] = token
        return client

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
