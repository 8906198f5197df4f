"""While waiting: announcements of queues; the language of calls, and the place that a caller who was cut off has again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queues", sa.Column("announcements", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("calls", sa.Column("language", sa.String(40)))
    op.add_column("calls", sa.Column("place_since", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("calls", "place_since")
    op.drop_column("calls", "language")
    op.drop_column("queues", "announcements")
