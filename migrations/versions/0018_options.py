"""What can be chosen with a place, and what was chosen."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.crypt import SealedText

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KINDS = ("room", "meal", "other")


def upgrade() -> None:
    op.create_table(
        "event_option",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("choice", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("per_order", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("asks_wish", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("on_sale", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("ck_event_option_price_not_negative")),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["event.id"],
            name=op.f("fk_event_option_event_id_event"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["pool.id"], name=op.f("fk_event_option_pool_id_pool")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_option")),
        sa.UniqueConstraint("event_id", "name", name=op.f("uq_event_option_event_id_name")),
        sa.UniqueConstraint("pool_id", name=op.f("uq_event_option_pool_id")),
    )
    op.create_index(op.f("ix_event_option_event_id"), "event_option", ["event_id"])
    op.create_table(
        "option_choice",
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("option_id", sa.Integer(), nullable=False),
        sa.Column("wish", SealedText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["option_id"],
            ["event_option.id"],
            name=op.f("fk_option_choice_option_id_event_option"),
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_option_choice_registration_id_registration"),
        ),
        sa.PrimaryKeyConstraint("registration_id", "option_id", name=op.f("pk_option_choice")),
    )
    op.create_index(op.f("ix_option_choice_option_id"), "option_choice", ["option_id"])
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("options_open", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("option_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_order_line_option_id_event_option"),
            "event_option",
            ["option_id"],
            ["id"],
        )
        batch_op.create_index(batch_op.f("ix_order_line_option_id"), ["option_id"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
