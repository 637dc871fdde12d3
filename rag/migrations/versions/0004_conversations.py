"""The conversation that an answer belongs to"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("answers", sa.Column("conversation_id", sa.String(length=32), nullable=True))
    op.create_index("ix_answers_conversation_id", "answers", ["conversation_id"])


def downgrade() -> None:
    """Loses which answers belong together; each keeps its conversation's id in its body."""
    op.drop_index("ix_answers_conversation_id", "answers")
    op.drop_column("answers", "conversation_id")
