"""Tokens may have an end of their own. Those that are there have none."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tokens") as tokens:
        tokens.add_column(sa.Column("ends_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """A token that ends would go on for ever without its end: it is revoked."""
    op.execute(sa.text("UPDATE tokens SET revoked_at = ends_at WHERE ends_at IS NOT NULL AND revoked_at IS NULL"))
    with op.batch_alter_table("tokens") as tokens:
        tokens.drop_column("ends_at")
