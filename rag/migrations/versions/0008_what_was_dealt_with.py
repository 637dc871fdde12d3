"""Answers found bad, and questions without an answer, that an administrator has dealt with"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "handled",
        sa.Column("answer_id", sa.String(length=32), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name=op.f("fk_handled_answer_id_answers")),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_handled")),
    )


def downgrade() -> None:
    """Loses what was dealt with: it is listed again."""
    op.drop_table("handled")
