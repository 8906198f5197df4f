"""Calls found by outcome, disposition and every party, and every number in history found again to be erased."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NUMBERS = {
    "number": ("CallQueued", "VoicemailLeft", "RecordingBegan", "CallbackPromised", "CallbackChanged"),
    "caller": ("PlaceKept",),
    "to": ("CallTransferred", "ConsultAsked"),
}
"""Kinds of events with a telephone number, by the name that it has there."""


def upgrade() -> None:
    op.create_index("ix_calls_queue_id_entered_at_id", "calls", ["queue_id", "entered_at", "id"])
    op.drop_index("ix_calls_queue_id_entered_at", "calls")
    op.create_index("ix_calls_outcome_entered_at", "calls", ["outcome", "entered_at"])
    op.create_index("ix_calls_disposition_entered_at", "calls", ["disposition", "entered_at"])
    op.create_index("ix_voicemails_number", "voicemails", ["number"])
    op.create_table(
        "earlier_parties",
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("party_id", sa.String(64), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("role", "party_id", "entered_at", "call_id", name="pk_earlier_parties"),
    )
    op.create_index("ix_earlier_parties_call_id", "earlier_parties", ["call_id"])
    _fill_parties("agent", "agent_id", "talks")
    _fill_parties("queue", "queue_id", "visits")
    op.create_table(
        "retention_marks",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_retention_marks"),
    )
    op.add_column("events", sa.Column("number", sa.String(200)))
    for name, kinds in NUMBERS.items():
        _fill_numbers(name, kinds)
    known = sa.text("number IS NOT NULL")
    op.create_index("ix_events_number", "events", ["number"], postgresql_where=known, sqlite_where=known)


def _fill_parties(role: str, column: str, table: str) -> None:
    of_others = f"c.{column} IS NULL OR c.{column} <> t.{column}"
    rows = f"SELECT DISTINCT '{role}', t.{column}, c.entered_at, c.id FROM {table} t"  # noqa: S608 - words of our own
    found = f"{rows} JOIN calls c ON c.id = t.call_id WHERE {of_others}"
    op.execute(f"INSERT INTO earlier_parties (role, party_id, entered_at, call_id) {found}")


def _fill_numbers(name: str, kinds: tuple[str, ...]) -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"

    def value(key: str) -> str:
        return f"json_extract(data, '$.{key}')" if sqlite else f"data->>'{key}'"

    listed = ", ".join(f"'{kind}'" for kind in kinds)
    outside = f" AND {value('target')} = 'number'" if name == "to" else ""
    op.execute(f"UPDATE events SET number = {value(name)} WHERE kind IN ({listed}){outside}")  # noqa: S608 - words of our own


def downgrade() -> None:
    op.drop_index("ix_events_number", "events")
    op.drop_column("events", "number")
    op.drop_table("retention_marks")
    op.drop_table("earlier_parties")
    op.drop_index("ix_voicemails_number", "voicemails")
    op.drop_index("ix_calls_disposition_entered_at", "calls")
    op.drop_index("ix_calls_outcome_entered_at", "calls")
    op.create_index("ix_calls_queue_id_entered_at", "calls", ["queue_id", "entered_at"])
    op.drop_index("ix_calls_queue_id_entered_at_id", "calls")
