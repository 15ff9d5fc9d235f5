"""Who may enter: every route says `@public` or `@requires(...)`; a house test finds those that do not."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regsys.kernel.actors import ANONYMOUS, Actor
from regsys.kernel.errors import Forbidden

P = ParamSpec("P")
R = TypeVar("R")
MARK = "regsys_guard"


def use_actors(app: Flask, find_actor: Callable[[], Actor | None]) -> None:
    """Fill the actor slot: `accounts` calls this with a function that reads the session."""
    app.extensions["regsys.actor"] = find_actor


def current_actor() -> Actor:
    """Return who is asking; looked up once per request."""
    if "actor" not in g:
        find = current_app.extensions.get("regsys.actor")
        g.actor = (find() if find else None) or ANONYMOUS
    actor: Actor = g.actor
    return actor


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view as open to everyone, or guarded by a secret in its address."""
    setattr(view, MARK, ())
    return view


def requires(*roles: str) -> Callable[[Callable[..., R]], Callable[..., R | ResponseReturnValue]]:
    """Let in only people who hold one of the roles.

    A view with an `event_id` argument is open to those who hold the role for that event or for all;
    any other view to those who hold it anywhere (its queries then narrow by `actor.scope(...)`).
    Visitors are sent to sign in (GET) or refused; raises Forbidden.
    """

    def decorate(view: Callable[..., R]) -> Callable[..., R | ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> R | ResponseReturnValue:
            actor = current_actor()
            if not actor.signed_in:
                if request.method != "GET":
                    raise Forbidden
                return redirect(
                    url_for("accounts.sign_in", next=request.full_path.rstrip("?")), 303
                )
            allowed = (
                actor.has(*roles, event_id=kwargs["event_id"])
                if "event_id" in kwargs
                else actor.has_anywhere(*roles)
            )
            if not allowed:
                raise Forbidden
            return view(*args, **kwargs)

        setattr(guarded, MARK, roles)
        return guarded

    return decorate
