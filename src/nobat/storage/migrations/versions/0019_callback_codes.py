"""The secret from which the codes of callbacks are worked out, and windows as they were chosen on somebody's clocks."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "callback_secret",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_callback_secret"),
    )
    op.add_column("callbacks", sa.Column("chosen", sa.String(40)))


def downgrade() -> None:
    with op.batch_alter_table("callbacks") as callbacks:
        callbacks.drop_column("chosen")
    op.drop_table("callback_secret")
