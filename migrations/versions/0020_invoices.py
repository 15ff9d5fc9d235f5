"""Invoices that employers pay later."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.crypt import SealedText
from regsys.kernel.db import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TERMS = ("none", "confirmed", "held")
STATES = ("open", "cancelled", "written_off")
OPEN = sa.text("state = 'open'")


def _enum(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("invoices", _enum(TERMS, "invoices"), server_default="none", nullable=False)
        )
        batch_op.add_column(
            sa.Column("invoice_days", sa.Integer(), server_default="30", nullable=False)
        )
    op.create_table(
        "invoice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token", SealedText(), nullable=False),
        sa.Column("state", _enum(STATES, "state"), nullable=False),
        sa.Column("state_at", UtcDateTime(), nullable=False),
        sa.Column("terms", _enum(TERMS, "terms"), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("reminded", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_invoice_document_id_document")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_invoice_order_id_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("document_id", name=op.f("uq_invoice_document_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invoice_token_hash")),
    )
    op.create_index(op.f("ix_invoice_due_at"), "invoice", ["due_at"])
    op.create_index(op.f("ix_invoice_order_id"), "invoice", ["order_id"])
    op.create_index(
        "uq_invoice_open",
        "invoice",
        ["order_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
