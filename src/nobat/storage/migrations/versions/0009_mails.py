"""Reports by mail."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mails",
        sa.Column("report", sa.String(64), nullable=False),
        sa.Column("begin", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.String(200)),
        sa.Column("recipients", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("report", "begin", name=op.f("pk_mails")),
    )


def downgrade() -> None:
    op.drop_table("mails")
