"""The language of a passage, and the abbreviations that an edition defines"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("editions", sa.Column("abbreviations", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("passages", sa.Column("language", sa.String(length=2), nullable=False, server_default="en"))
    op.execute(
        "UPDATE passages SET language = 'zh' WHERE edition_id IN (SELECT id FROM editions WHERE language LIKE 'zh%')"
    )


def downgrade() -> None:
    """Loses the language of each passage and the abbreviations of each edition. Upgrading again takes a passage's
    language from its edition's, and finds no abbreviations until a document is read again."""
    op.drop_column("passages", "language")
    op.drop_column("editions", "abbreviations")
