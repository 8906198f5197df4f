"""Moving calls: a call's talks and transfers."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("parts", sa.JSON))


def downgrade() -> None:
    op.drop_column("calls", "parts")
