"""Who gets the call: relaxing skills, priority, misses and sticky agents of queues; weights and ranks of members; callers."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MISSES = '{"no_answer": 3, "busy": 0, "rejected": 3, "failed": 0}'


def added(name: str, kind: Any, default: str) -> sa.Column[Any]:
    """A column that is never empty; rows that are there already get ``default``."""
    return sa.Column(name, kind, nullable=False, server_default=default)


def upgrade() -> None:
    op.add_column("queues", added("priority_s", sa.Float, "300"))
    op.add_column("queues", added("relax", sa.JSON, "[]"))
    op.add_column("queues", added("sticky_s", sa.Float, "0"))
    op.add_column("queues", added("misses", sa.JSON, MISSES))
    op.add_column("memberships", sa.Column("weight", sa.Integer))
    op.add_column("memberships", sa.Column("rank", sa.Integer))
    op.create_table(
        "callers",
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200)),
        sa.Column("segment", sa.String(40)),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("skills", sa.JSON, nullable=False),
        sa.Column("language", sa.String(40)),
        sa.Column("preferred_agent", sa.String(64)),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_callers"),
    )
    op.create_index("ix_callers_version", "callers", ["version"])
    versions = op.create_table(
        "callers_version",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_callers_version"),
    )
    op.bulk_insert(versions, [{"id": 1, "version": 0}])


def downgrade() -> None:
    for table in ("callers_version", "callers"):
        op.drop_table(table)
    for table, columns in (
        ("memberships", ("rank", "weight")),
        ("queues", ("misses", "sticky_s", "relax", "priority_s")),
    ):
        for column in columns:
            op.drop_column(table, column)
