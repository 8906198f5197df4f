"""Figures by skill and segment, and of breaks that are work."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COUNTS = (
    "answered", "abandoned", "short_abandoned", "overflowed", "deferred", "lost", "answered_in_target", "abandoned_in_target",
)  # fmt: skip
SUMS = ("answer_wait_s", "longest_wait_s")
TALKS = ("talk_s", "hold_s", "wrap_up_s")


def upgrade() -> None:
    op.add_column("visits", sa.Column("segment", sa.String(40)))
    op.add_column("visits", sa.Column("skills", sa.Text))
    op.create_table(
        "group_figures",
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("queue_id", sa.String(64), nullable=False),
        sa.Column("start", sa.BigInteger, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
        *(sa.Column(name, sa.Float, nullable=False) for name in SUMS),
        sa.Column("handled", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Float, nullable=False) for name in TALKS),
        sa.PrimaryKeyConstraint("kind", "name", "queue_id", "start", name=op.f("pk_group_figures")),
    )
    op.create_index(op.f("ix_group_figures_start"), "group_figures", ["start"])
    op.add_column("agent_figures", sa.Column("productive_s", sa.Float, nullable=False, server_default="0"))
    op.add_column("agent_figures", sa.Column("last_productive", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("agent_figures", "last_productive")
    op.drop_column("agent_figures", "productive_s")
    op.drop_table("group_figures")
    op.drop_column("visits", "skills")
    op.drop_column("visits", "segment")
