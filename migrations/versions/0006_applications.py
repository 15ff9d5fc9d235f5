"""Applications, what events want of people, and questions for applicants."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    _pathway()
    _applications()
    _change_what_was_there()


def _pathway() -> None:
    op.create_table(
        "prerequisite",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("need", _choice("need", "intensives", "member", "leads_group"), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("ck_prerequisite_count_positive")),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["event.id"],
            name=op.f("fk_prerequisite_event_id_event"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("event_id", "need", name=op.f("pk_prerequisite")),
    )
    op.create_table(
        "past_credit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("need", _choice("need", "intensives", "member", "leads_group"), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("what", sa.String(length=300), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=True),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("attested_id", sa.Integer(), nullable=True),
        sa.Column("attested_by", sa.String(length=200), nullable=False),
        sa.Column("attested_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["attested_id"],
            ["account.id"],
            name=op.f("fk_past_credit_attested_id_account"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_credit")),
    )
    op.create_index(op.f("ix_past_credit_email_key_need"), "past_credit", ["email_key", "need"])


def _applications() -> None:
    states = ("submitted", "under_review", "accepted", "declined", "withdrawn")
    texts = {"badge_name": 100, "pronouns": 40, "phone": 40, "profession": 120, "credentials": 80}
    op.create_table(
        "application",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("ticket_type_id", sa.Integer(), nullable=False),
        sa.Column("state", _choice("state", *states), nullable=False),
        sa.Column("state_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        *(sa.Column(name, sa.String(length=n), nullable=False) for name, n in texts.items()),
        sa.Column("workplace", sa.String(length=200), nullable=False),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=True),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("letter_words", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("lapsed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_application_event_id_event")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_type_id"],
            ["ticket_type.id"],
            name=op.f("fk_application_ticket_type_id_ticket_type"),
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_application_registration_id_registration"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_application_registration_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_application_token_hash")),
    )
    for columns in (["email_key"], ["event_id", "state"], ["ticket_type_id"]):
        op.create_index(op.f(f"ix_application_{'_'.join(columns)}"), "application", columns)
    stands = sa.text("state <> 'withdrawn'")
    op.create_index(
        "uq_application_standing_email",
        "application",
        ["event_id", "email_key"],
        unique=True,
        postgresql_where=stands,
        sqlite_where=stands,
    )
    _reviews_and_drafts()


def _reviews_and_drafts() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_review_score_of_five")),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_review_application_id_application"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["account.id"], name=op.f("fk_review_user_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint(
            "application_id", "user_id", name=op.f("uq_review_application_id_user_id")
        ),
    )
    op.create_index(op.f("ix_review_user_id"), "review", ["user_id"])
    op.create_table(
        "application_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.Column("mailed_to", sa.String(length=254), nullable=False),
        sa.Column("mailed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["event.id"],
            name=op.f("fk_application_draft_event_id_event"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_draft")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_application_draft_token_hash")),
    )
    op.create_index(op.f("ix_application_draft_event_id"), "application_draft", ["event_id"])
    op.create_index(op.f("ix_application_draft_saved_at"), "application_draft", ["saved_at"])


def _change_what_was_there() -> None:
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answer_by", UtcDateTime(), nullable=True))
        batch_op.add_column(
            sa.Column("accept_hours", sa.Integer(), server_default="48", nullable=False)
        )
        batch_op.add_column(
            sa.Column("edit_reopens", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
    with op.batch_alter_table("question", schema=None) as batch_op:
        stage = sa.Enum(
            "apply",
            "register",
            name="stage",
            native_enum=False,
            create_constraint=False,
            length=40,
        )
        batch_op.add_column(sa.Column("stage", stage, server_default="register", nullable=False))
        batch_op.create_check_constraint("stage", "stage IN ('apply', 'register')")
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("application_id", sa.Integer(), nullable=True))
        batch_op.alter_column("registration_id", existing_type=sa.Integer(), nullable=True)
        batch_op.create_unique_constraint(
            batch_op.f("uq_answer_application_id_key"), ["application_id", "key"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_answer_application_id_application"),
            "application",
            ["application_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.create_check_constraint(
            "of_one_thing", "(registration_id IS NULL) <> (application_id IS NULL)"
        )


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
