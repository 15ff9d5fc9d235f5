"""Receipts, invoices and credit notes with numbers of their own."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.db import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KINDS = ("receipt", "invoice", "credit_note")
OLD = ("mismatch", "double", "no_place")
SQLITE = (
    "CREATE TRIGGER {0}_stays BEFORE UPDATE ON {0} "
    "BEGIN SELECT RAISE(ABORT, 'a document is never changed'); END",
    "CREATE TRIGGER {0}_remains BEFORE DELETE ON {0} "
    "BEGIN SELECT RAISE(ABORT, 'a document is never deleted'); END",
)
POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION document_is_final() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'a document is never changed or deleted'; END $$",
    "CREATE TRIGGER {0}_stays BEFORE UPDATE OR DELETE ON {0} "
    "FOR EACH ROW EXECUTE FUNCTION document_is_final()",
)


def _enum(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    _money_that_never_came()
    _documents()
    for table in ("document", "document_line"):
        statements = POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE
        for statement in statements:
            op.execute(statement.format(table))


def _money_that_never_came() -> None:
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("noted_at", UtcDateTime(), nullable=True))
        batch_op.alter_column(
            "problem",
            existing_type=_enum(OLD, "problem"),
            type_=_enum((*OLD, "mistake"), "problem"),
            existing_nullable=True,
        )


def _documents() -> None:
    op.create_table(
        "document_number",
        sa.Column("kind", _enum(KINDS, "kind"), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "year", name=op.f("pk_document_number")),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", _enum(KINDS, "kind"), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=60), nullable=False),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("through_line", sa.Integer(), nullable=True),
        sa.Column("billed_to", sa.String(length=300), nullable=False),
        sa.Column("template", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.CheckConstraint("total > 0", name=op.f("ck_document_positive")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_document_order_id_orders")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["document.id"], name=op.f("fk_document_corrects_id_document")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("cause", name=op.f("uq_document_cause")),
        sa.UniqueConstraint("kind", "year", "number", name=op.f("uq_document_kind_year_number")),
    )
    for column in ("corrects_id", "issued_at", "order_id"):
        op.create_index(op.f(f"ix_document_{column}"), "document", [column])
    op.create_table(
        "document_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=300), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("of_price", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_line_document_id_document")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_line")),
        sa.UniqueConstraint(
            "document_id", "position", name=op.f("uq_document_line_document_id_position")
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
