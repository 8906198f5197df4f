"""Hours and limits: when queues are open, where limits lead callers, queues closed by supervisors, messages that callers left."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

HOURS: dict[str, Any] = {"weekly": None, "holidays": [], "exceptions": []}
MESSAGE = {"kind": "message", "say": None}
OVERFLOW = {
    **dict.fromkeys(("closed", "holiday", "full", "no_agent", "waited", "expected"), MESSAGE),
    **dict.fromkeys(("most_waiting", "joining_needs", "waiting_needs", "most_wait_s", "most_expected_s")),
    "leave_on_close": False,
    "empty_s": 5.0,
}


def upgrade() -> None:
    for name, default in (("hours", HOURS), ("overflow", OVERFLOW)):
        op.add_column("queues", sa.Column(name, sa.JSON, nullable=False, server_default=json.dumps(default)))
    op.add_column("visits", sa.Column("reason", sa.String(40)))
    op.add_column("visits", sa.Column("led_to", sa.String(200)))
    op.create_table(
        "closings",
        sa.Column("queue_id", sa.String(64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", name="pk_closings"),
    )
    op.create_table(
        "voicemails",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("pbx", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("queue_id", sa.String(64), nullable=False),
        sa.Column("number", sa.String(200)),
        sa.Column("name", sa.String(200)),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_s", sa.Float, nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True)),
        sa.Column("heard_by", sa.String(200)),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.Column("removed_by", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_voicemails"),
    )
    op.create_index("ix_voicemails_left_at_id", "voicemails", ["left_at", "id"])


def downgrade() -> None:
    for table in ("voicemails", "closings"):
        op.drop_table(table)
    for table, column in (("visits", "led_to"), ("visits", "reason"), ("queues", "overflow"), ("queues", "hours")):
        op.drop_column(table, column)
