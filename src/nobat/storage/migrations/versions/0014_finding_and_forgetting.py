"""Calls found by outcome, disposition and every party, and every number in history found again to be erased."""

import sqlalchemy as sa
from alembic import op

from nobat.storage import ahead

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


def _earlier_parties() -> None:
    op.create_table(
        "earlier_parties",
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("party_id", sa.String(64), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("role", "party_id", "entered_at", "call_id", name="pk_earlier_parties"),
    )
    op.create_index("ix_earlier_parties_call_id", "earlier_parties", ["call_id"])


def _parties(role: str, column: str, table: str) -> ahead.Fill:
    rows = f"SELECT DISTINCT '{role}', t.{column}, c.entered_at, c.id FROM calls c JOIN {table} t ON t.call_id = c.id"  # noqa: S608 - words of our own
    wanted = f"(c.{column} IS NULL OR c.{column} <> t.{column}) AND c.entered_at > :after AND c.entered_at <= :upto"
    statement = f"INSERT INTO earlier_parties (role, party_id, entered_at, call_id) {rows} WHERE {wanted} ON CONFLICT DO NOTHING"
    return ahead.Fill(f"earlier {table}", "calls", "entered_at", lambda _: statement)


def _numbers(dialect: str) -> str:
    def value(key: str) -> str:
        return f"json_extract(data, '$.{key}')" if dialect == "sqlite" else f"data->>'{key}'"

    def listed(kinds: tuple[str, ...]) -> str:
        return ", ".join(f"'{kind}'" for kind in kinds)

    cases = " ".join(f"WHEN kind IN ({listed(kinds)}) THEN {value(name)}" for name, kinds in NUMBERS.items())
    every = listed(tuple(kind for kinds in NUMBERS.values() for kind in kinds))
    outside = f"kind NOT IN ({listed(NUMBERS['to'])}) OR {value('target')} = 'number'"
    when = "number IS NULL AND at > :after AND at <= :upto"
    return f"UPDATE events SET number = CASE {cases} END WHERE kind IN ({every}) AND ({outside}) AND {when}"  # noqa: S608


AHEAD = (
    ahead.Index("ix_calls_queue_id_entered_at_id", "calls", ("queue_id", "entered_at", "id")),
    ahead.Index("ix_calls_outcome_entered_at", "calls", ("outcome", "entered_at")),
    ahead.Index("ix_calls_disposition_entered_at", "calls", ("disposition", "entered_at")),
    ahead.EmptyTable("earlier_parties", _earlier_parties),
    _parties("agent", "agent_id", "talks"),
    _parties("queue", "queue_id", "visits"),
    ahead.EmptyColumn("events", "number", sa.String(200)),
    ahead.Fill("numbers of events", "events", "at", _numbers),
    ahead.Index("ix_events_number", "events", ("number",), where="number IS NOT NULL"),
)


def upgrade() -> None:
    ahead.finish(AHEAD)
    op.drop_index("ix_calls_queue_id_entered_at", "calls")
    op.create_index("ix_voicemails_number", "voicemails", ["number"])
    op.create_table(
        "retention_marks",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_retention_marks"),
    )


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
