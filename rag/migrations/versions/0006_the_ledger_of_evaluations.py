"""Evaluations that were run, and what they chose"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "evaluations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("configuration", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
    )
    op.create_index(op.f("ix_evaluations_fingerprint"), "evaluations", ["fingerprint"])
    op.create_index(op.f("ix_evaluations_created_at"), "evaluations", ["created_at"])
    op.create_table(
        "evaluation_items",
        sa.Column("evaluation_id", sa.String(length=32), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Text(), nullable=False),
        sa.Column("arm", sa.String(length=32), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=True),
        sa.Column("gold", sa.Text(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name=op.f("fk_evaluation_items_evaluation_id_evaluations")
        ),
        sa.PrimaryKeyConstraint("evaluation_id", "ordinal", name=op.f("pk_evaluation_items")),
    )


def downgrade() -> None:
    """Loses the ledger of evaluations; their reports stay where they were written."""
    op.drop_table("evaluation_items")
    op.drop_table("evaluations")
