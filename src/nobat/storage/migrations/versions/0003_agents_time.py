"""The agents' time: how the work after a call ends, and how many may be on a break."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WRAP_UP = '{"form": "fixed", "dispositions": [], "longest_s": 0.0, "force": false}'
BREAKS = '{"most": 0}'


def added(name: str, kind: Any, default: str) -> sa.Column[Any]:
    """A column that is never empty; rows that are there already get ``default``."""
    return sa.Column(name, kind, nullable=False, server_default=default)


def upgrade() -> None:
    op.add_column("queues", added("wrap_up", sa.JSON, WRAP_UP))
    op.add_column("queues", added("breaks", sa.JSON, BREAKS))


def downgrade() -> None:
    for column in ("breaks", "wrap_up"):
        op.drop_column("queues", column)
