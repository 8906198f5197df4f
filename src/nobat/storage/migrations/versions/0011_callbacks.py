"""Callbacks: how queues call back, what was promised, and every attempt to reach somebody."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

POLICY: dict[str, Any] = {"enabled": False}


def upgrade() -> None:
    op.add_column("queues", sa.Column("callbacks", sa.JSON, nullable=False, server_default=json.dumps(POLICY)))
    op.add_column("calls", sa.Column("callback_id", sa.String(128)))
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "callbacks",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("queue_id", sa.String(64), nullable=False),
        sa.Column("pbx", sa.String(64)),
        sa.Column("call_id", sa.String(128)),
        sa.Column("number", sa.String(200)),
        sa.Column("name", sa.String(200)),
        sa.Column("language", sa.String(40)),
        sa.Column("since", moment),
        sa.Column("serial", sa.BigInteger),
        sa.Column("priority", sa.Integer),
        sa.Column("promised_at", moment),
        sa.Column("expires_at", moment),
        sa.Column("due_from", moment),
        sa.Column("zone", sa.String(64)),
        sa.Column("agent_id", sa.String(64)),
        sa.Column("window_from", moment),
        sa.Column("window_to", moment),
        sa.Column("ended_at", moment),
        sa.Column("why", sa.String(20)),
        sa.Column("tries", sa.Integer),
        sa.Column("waited_s", sa.Float),
        sa.Column("in_call", sa.String(128)),
        sa.Column("ended_by", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
    )
    op.create_index("ix_callbacks_promised_at_id", "callbacks", ["promised_at", "id"])
    op.create_index("ix_callbacks_ended_at", "callbacks", ["ended_at"])
    op.create_index("ix_callbacks_number_promised_at", "callbacks", ["number", "promised_at"])
    op.create_table(
        "callback_attempts",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("callback_id", sa.String(128), nullable=False),
        sa.Column("planned_at", moment),
        sa.Column("mode", sa.String(20)),
        sa.Column("agent_id", sa.String(64)),
        sa.Column("boot", sa.String(64)),
        sa.Column("ended_at", moment),
        sa.Column("result", sa.String(20)),
        sa.Column("next_at", moment),
        sa.PrimaryKeyConstraint("id", name="pk_callback_attempts"),
    )
    op.create_index("ix_callback_attempts_callback_id", "callback_attempts", ["callback_id"])


def downgrade() -> None:
    op.drop_table("callback_attempts")
    op.drop_table("callbacks")
    op.drop_column("calls", "callback_id")
    op.drop_column("queues", "callbacks")
