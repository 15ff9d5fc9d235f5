"""Reading the audit."""

from sqlalchemy import or_, select

from regsys.audit.models import AuditEntry
from regsys.kernel.db import db


def list_for(kind: str, subject_id: int, *, order_id: int | None = None) -> list[AuditEntry]:
    """List what happened to a thing, and to its order where one is named, oldest first."""
    of_subject = (AuditEntry.subject_kind == kind) & (AuditEntry.subject_id == subject_id)
    of_order = (AuditEntry.subject_kind == "order") & (AuditEntry.subject_id == order_id)
    wanted = or_(of_subject, of_order) if order_id else of_subject
    return list(
        db.session.scalars(select(AuditEntry).where(wanted).order_by(AuditEntry.at, AuditEntry.id))
    )
