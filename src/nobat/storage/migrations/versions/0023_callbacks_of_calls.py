"""Callbacks found by the calls in which they were promised and came true: a call's history tells the chain."""

from alembic import op

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_callbacks_call_id", "callbacks", ["call_id"])
    op.create_index("ix_callbacks_in_call", "callbacks", ["in_call"])


def downgrade() -> None:
    op.drop_index("ix_callbacks_in_call", "callbacks")
    op.drop_index("ix_callbacks_call_id", "callbacks")
