"""Writing a version of a policy down."""

from datetime import datetime

from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.policies.models import RefundPolicy
from regsys.policies.rules import Terms, write


def save_version(
    title: str, terms: Terms, *, before: RefundPolicy | None, actor: Actor, now: datetime
) -> RefundPolicy:
    """Write these terms down as the version after `before`; the same terms again are the same version."""
    body = write(terms)
    if before and (before.title, before.body) == (title, body):
        return before
    version = RefundPolicy(
        title=title,
        version=before.version + 1 if before else 1,
        body=body,
        created_at=now,
        created_by=actor.label[:200],
    )
    db.session.add(version)
    db.session.flush()
    return version
