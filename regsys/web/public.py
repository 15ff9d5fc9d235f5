"""Doors for machines: does the process live, and can it serve?"""

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from regsys.kernel.db import db
from regsys.kernel.revisions import newest
from regsys.web.guard import public

bp = Blueprint("web", __name__)
PLAIN = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """Say that the process answers; it asks nobody else."""
    return "ok\n", 200, PLAIN


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Say whether the database answers and has the schema that this code needs."""
    try:
        found = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError as e:
        current_app.logger.warning("not ready: %s", type(e).__name__)
        return "the database does not answer, or is empty\n", 503, PLAIN
    if found is None or str(found) < newest():
        return "the database waits for `regsys upgrade`\n", 503, PLAIN
    return "ready\n", 200, PLAIN
