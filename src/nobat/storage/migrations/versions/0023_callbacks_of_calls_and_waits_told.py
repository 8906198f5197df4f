"""Callbacks found by the calls in which they were promised and came true; figures of what callers were told of their wait."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None

FIGURES = ("queue_figures", "group_figures")


def upgrade() -> None:
    op.create_index("ix_callbacks_call_id", "callbacks", ["call_id"])
    op.create_index("ix_callbacks_in_call", "callbacks", ["in_call"])
    for table in FIGURES:
        op.add_column(table, sa.Column("told", sa.Integer, nullable=False, server_default="0"))
        op.add_column(table, sa.Column("told_inside", sa.Integer, nullable=False, server_default="0"))
        op.add_column(table, sa.Column("told_error_s", sa.Float, nullable=False, server_default="0"))


def downgrade() -> None:
    for table in FIGURES:
        with op.batch_alter_table(table) as figures:
            for name in ("told_error_s", "told_inside", "told"):
                figures.drop_column(name)
    op.drop_index("ix_callbacks_in_call", "callbacks")
    op.drop_index("ix_callbacks_call_id", "callbacks")
