"""Supervision: sessions, who was heard in them and when, and what queues want of it."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SUPERVISION = '{"tone": false, "exempt": []}'


def _some(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("queues", sa.Column("supervision", sa.JSON, nullable=False, server_default=SUPERVISION))
    op.create_table(
        "supervisions",
        _some("id", sa.String(128)),
        _some("token_id", sa.String(64)),
        _some("name", sa.String(200)),
        _some("role", sa.String(20)),
        _some("device", sa.String(128)),
        sa.Column("agent_id", sa.String(64)),
        sa.Column("call_id", sa.String(128)),
        _some("mode", sa.String(20)),
        _some("began_at", moment),
        sa.Column("ended_at", moment),
        sa.Column("reason", sa.String(40)),
        sa.PrimaryKeyConstraint("id", name="pk_supervisions"),
    )
    op.create_index("ix_supervisions_began_at_id", "supervisions", ["began_at", "id"])
    op.create_table(
        "supervised",
        _some("supervision_id", sa.String(128)),
        _some("from_at", moment),
        sa.Column("to_at", moment),
        _some("call_id", sa.String(128)),
        _some("queue_id", sa.String(64)),
        _some("agent_id", sa.String(64)),
        _some("mode", sa.String(20)),
        sa.PrimaryKeyConstraint("supervision_id", "from_at", name="pk_supervised"),
    )
    op.create_index("ix_supervised_call_id", "supervised", ["call_id"])
    op.create_index("ix_supervised_agent_id_from_at", "supervised", ["agent_id", "from_at"])


def downgrade() -> None:
    op.drop_table("supervised")
    op.drop_table("supervisions")
    op.drop_column("queues", "supervision")
