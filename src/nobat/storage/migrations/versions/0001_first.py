"""The first schema: catalogue, tokens, agents' status, history, audit."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(64)
CALL = sa.String(128)
TIME = sa.DateTime(timezone=True)


def some(name: str, kind: Any) -> sa.Column[Any]:
    """A column that is never empty."""
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    _catalogue()
    _people()
    _history()
    _log()


def _catalogue() -> None:
    op.create_table(
        "queues",
        some("id", ID),
        some("number", sa.String(15)),
        some("name", sa.String(200)),
        some("strategy", sa.String(40)),
        some("ring_s", sa.Integer),
        some("wrap_up_s", sa.Float),
        some("rest_s", sa.Float),
        some("short_abandon_s", sa.Float),
        some("target_s", sa.Float),
        some("target_ratio", sa.Float),
        some("skills", sa.JSON),
        some("timezone", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_queues"),
        sa.UniqueConstraint("number", name="uq_queues_number"),
    )
    op.create_table(
        "agents",
        some("id", ID),
        some("name", sa.String(200)),
        sa.Column("device", sa.String(128)),
        some("skills", sa.JSON),
        sa.Column("pin_hash", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_agents"),
    )
    op.create_table(
        "memberships",
        some("agent_id", ID),
        some("queue_id", ID),
        some("place", sa.Integer),
        sa.PrimaryKeyConstraint("agent_id", "queue_id", name="pk_memberships"),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], ondelete="CASCADE", name="fk_memberships_agent_id"),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], ondelete="CASCADE", name="fk_memberships_queue_id"),
    )
    op.create_index("ix_memberships_queue_id", "memberships", ["queue_id"])
    version = op.create_table(
        "config_version",
        some("id", sa.Integer),
        some("version", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_config_version"),
    )
    op.bulk_insert(version, [{"id": 1, "version": 1}])


def _people() -> None:
    op.create_table(
        "agent_status",
        some("agent_id", ID),
        some("status", sa.String(20)),
        sa.Column("reason", sa.String(200)),
        sa.Column("device", sa.String(128)),
        some("since", TIME),
        sa.PrimaryKeyConstraint("agent_id", name="pk_agent_status"),
    )
    op.create_table(
        "tokens",
        some("id", ID),
        some("hash", sa.String(64)),
        some("role", sa.String(20)),
        some("name", sa.String(200)),
        sa.Column("agent_id", ID),
        some("queues", sa.JSON),
        some("created_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
    )


def _history() -> None:
    op.create_table(
        "calls",
        some("id", CALL),
        some("leg", CALL),
        some("pbx", ID),
        some("queue_id", ID),
        sa.Column("number", sa.String(200)),
        sa.Column("name", sa.String(200)),
        some("priority", sa.Integer),
        some("entered_at", TIME),
        some("waited_s", sa.Float),
        sa.Column("outcome", sa.String(20)),
        sa.Column("agent_id", ID),
        sa.Column("device", sa.String(128)),
        sa.Column("agent_leg", CALL),
        sa.Column("connected_at", TIME),
        sa.Column("talk_s", sa.Float),
        some("hold_s", sa.Float),
        sa.Column("ended_at", TIME),
        sa.Column("ended_by", sa.String(40)),
        sa.Column("disposition", sa.String(200)),
        sa.Column("notes", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("ix_calls_entered_at_id", "calls", ["entered_at", "id"])
    op.create_index("ix_calls_queue_id_entered_at", "calls", ["queue_id", "entered_at"])
    op.create_index("ix_calls_agent_id_entered_at", "calls", ["agent_id", "entered_at"])
    op.create_index("ix_calls_number_entered_at", "calls", ["number", "entered_at"])
    op.create_table(
        "visits",
        some("call_id", CALL),
        some("queue_id", ID),
        some("entered_at", TIME),
        some("decided_at", TIME),
        some("outcome", sa.String(20)),
        some("waited_s", sa.Float),
        some("short", sa.Boolean),
        sa.PrimaryKeyConstraint("call_id", "queue_id", "entered_at", name="pk_visits"),
    )
    op.create_index("ix_visits_queue_id_entered_at", "visits", ["queue_id", "entered_at"])
    op.create_index("ix_visits_entered_at", "visits", ["entered_at"])
    op.create_table(
        "talks",
        some("call_id", CALL),
        some("agent_id", ID),
        some("ended_at", TIME),
        some("queue_id", ID),
        some("began_at", TIME),
        some("talk_s", sa.Float),
        some("hold_s", sa.Float),
        sa.Column("wrap_up_s", sa.Float),
        some("fault", sa.Boolean),
        sa.PrimaryKeyConstraint("call_id", "agent_id", "ended_at", name="pk_talks"),
    )
    op.create_index("ix_talks_agent_id_ended_at", "talks", ["agent_id", "ended_at"])
    op.create_index("ix_talks_queue_id_ended_at", "talks", ["queue_id", "ended_at"])


def _log() -> None:
    op.create_table(
        "events",
        some("run", sa.BigInteger),
        some("seq", sa.BigInteger),
        some("at", TIME),
        some("kind", sa.String(40)),
        sa.Column("call_id", CALL),
        sa.Column("queue_id", ID),
        sa.Column("agent_id", ID),
        some("data", sa.JSON),
        sa.PrimaryKeyConstraint("run", "seq", name="pk_events"),
    )
    op.create_index("ix_events_call_id", "events", ["call_id"])
    op.create_index("ix_events_at", "events", ["at"])
    op.create_table(
        "audit",
        some("run", sa.BigInteger),
        some("seq", sa.BigInteger),
        some("at", TIME),
        some("token_id", ID),
        some("token_name", sa.String(200)),
        some("role", sa.String(20)),
        some("action", sa.String(80)),
        some("target", sa.String(200)),
        sa.PrimaryKeyConstraint("run", "seq", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def downgrade() -> None:
    for table in ("audit", "events", "talks", "visits", "calls", "tokens", "agent_status", "config_version"):
        op.drop_table(table)
    for table in ("memberships", "agents", "queues"):
        op.drop_table(table)
