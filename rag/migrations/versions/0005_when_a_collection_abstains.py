"""The probability below which a collection's evidence is not answered from"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("collections", sa.Column("abstain_below", sa.Double(), nullable=True))


def downgrade() -> None:
    """Loses the thresholds that collections have of their own."""
    op.drop_column("collections", "abstain_below")
