"""Figures of 15 minutes, and the promise that held when a visit was decided."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COUNTS = (
    "answered", "abandoned", "short_abandoned", "overflowed", "deferred", "lost", "answered_in_target", "abandoned_in_target",
)  # fmt: skip
TALKS = ("talk_s", "hold_s", "wrap_up_s")
STATES = ("idle_s", "ringing_s", "talking_s", "working_s", "break_s", "elsewhere_s", "unreachable_s")


def _sums(*names: str) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Float, nullable=False) for name in names]


def upgrade() -> None:
    op.add_column("visits", sa.Column("target_s", sa.Float))
    op.create_index(op.f("ix_talks_began_at"), "talks", ["began_at"])
    op.create_table(
        "queue_figures",
        sa.Column("queue_id", sa.String(64), nullable=False),
        sa.Column("start", sa.BigInteger, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
        *_sums("answer_wait_s", "longest_wait_s"),
        sa.Column("handled", sa.Integer, nullable=False),
        *_sums(*TALKS),
        sa.PrimaryKeyConstraint("queue_id", "start", name=op.f("pk_queue_figures")),
    )
    op.create_index(op.f("ix_queue_figures_start"), "queue_figures", ["start"])
    op.create_table(
        "agent_figures",
        sa.Column("agent_id", sa.String(64), nullable=False),
        sa.Column("start", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("handled", sa.Integer, nullable=False),
        *_sums(*TALKS),
        sa.Column("missed", sa.Integer, nullable=False),
        *_sums(*STATES),
        sa.Column("last_state", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "start", name=op.f("pk_agent_figures")),
    )
    op.create_index(op.f("ix_agent_figures_start"), "agent_figures", ["start"])
    op.create_table(
        "figures_until",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figures_until")),
    )


def downgrade() -> None:
    op.drop_table("figures_until")
    op.drop_table("agent_figures")
    op.drop_table("queue_figures")
    op.drop_index(op.f("ix_talks_began_at"), "talks")
    op.drop_column("visits", "target_s")
