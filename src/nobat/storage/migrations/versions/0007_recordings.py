"""Recordings of conversations and callers' answers after them; what a queue wants of both."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

RECORDING = {"mode": "never", "share": 0.0, "most_pause_s": 300.0, "keep_days": 90}
SURVEY = {"offered": False}


def upgrade() -> None:
    for name, default in (("recording", RECORDING), ("survey", SURVEY)):
        op.add_column("queues", sa.Column(name, sa.JSON, nullable=False, server_default=json.dumps(default)))
    op.add_column("calls", sa.Column("survey", sa.Integer))
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("pbx", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("queue_id", sa.String(64), nullable=False),
        sa.Column("agent_id", sa.String(64)),
        sa.Column("number", sa.String(200)),
        sa.Column("mode", sa.String(20), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("duration_s", sa.Float),
        sa.Column("silent_s", sa.Float),
        sa.Column("supervised", sa.Boolean, nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("key", sa.String(200)),
        sa.Column("keep_until", sa.DateTime(timezone=True)),
        sa.Column("erased_at", sa.DateTime(timezone=True)),
        sa.Column("erased_by", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_recordings"),
    )
    op.create_index("ix_recordings_began_at_id", "recordings", ["began_at", "id"])
    for column in ("call_id", "number", "state", "keep_until"):
        op.create_index(f"ix_recordings_{column}", "recordings", [column])
    op.create_table(
        "surveys",
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("queue_id", sa.String(64), nullable=False),
        sa.Column("agent_id", sa.String(64)),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score", sa.Integer),
        sa.PrimaryKeyConstraint("call_id", name="pk_surveys"),
    )
    op.create_index("ix_surveys_queue_id_at", "surveys", ["queue_id", "at"])


def downgrade() -> None:
    op.drop_table("surveys")
    op.drop_table("recordings")
    op.drop_column("calls", "survey")
    for name in ("survey", "recording"):
        op.drop_column("queues", name)
