"""The tables. ``migrations/versions`` makes them; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Aware in, UTC in the database, aware UTC out; SQLite itself would drop the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

VISIT_COUNTS = (
    "answered", "abandoned", "short_abandoned", "overflowed", "deferred", "lost", "answered_in_target", "abandoned_in_target",
)  # fmt: skip
VISIT_SUMS = ("answer_wait_s", "longest_wait_s")
TALK_SUMS = ("talk_s", "hold_s", "wrap_up_s")
STATE_SUMS = ("idle_s", "ringing_s", "talking_s", "working_s", "break_s", "elsewhere_s", "unreachable_s")

ID = String(64)
CALL = String(128)


def _key(name: str, kind: Any = ID) -> Column[Any]:
    return Column(name, kind, primary_key=True)


def _some(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


queues = Table(
    "queues",
    metadata,
    _key("id"),
    Column("number", String(15), nullable=False, unique=True),
    _some("name", String(200)),
    _some("strategy", String(40)),
    _some("ring_s", Integer),
    _some("wrap_up_s", Float),
    _some("rest_s", Float),
    _some("short_abandon_s", Float),
    _some("target_s", Float),
    _some("target_ratio", Float),
    _some("skills", JSON),
    _some("timezone", String(64)),
    _some("priority_s", Float),
    _some("relax", JSON),
    _some("sticky_s", Float),
    _some("misses", JSON),
    _some("hours", JSON),
    _some("overflow", JSON),
    _some("announcements", JSON),
    _some("wrap_up", JSON),
    _some("breaks", JSON),
    _some("callbacks", JSON),
)

agents = Table(
    "agents",
    metadata,
    _key("id"),
    _some("name", String(200)),
    Column("device", String(128)),
    _some("skills", JSON),
    Column("pin_hash", String(200)),
)

memberships = Table(
    "memberships",
    metadata,
    Column("agent_id", ID, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("queue_id", ID, ForeignKey("queues.id", ondelete="CASCADE"), primary_key=True),
    _some("place", Integer),
    Column("weight", Integer),
    Column("rank", Integer),
    Index(None, "queue_id"),
)

# One row, counted up by every change of queues and agents, so that a running service notices another program's change.
config_version = Table(
    "config_version", metadata, Column("id", Integer, primary_key=True), _some("version", BigInteger)
)

# Known callers by normalised number. Whoever is taken out is marked, so that a running service that asks for what has a later
# ``version`` learns of removals too.
callers = Table(
    "callers",
    metadata,
    _key("number", String(40)),
    Column("name", String(200)),
    Column("segment", String(40)),
    _some("priority", Integer),
    _some("skills", JSON),
    Column("language", String(40)),
    Column("preferred_agent", ID),
    _some("version", BigInteger),
    _some("removed", Boolean),
    Index(None, "version"),
)

# One row, counted up by every change of callers.
callers_version = Table(
    "callers_version", metadata, Column("id", Integer, primary_key=True), _some("version", BigInteger)
)

# No foreign key: what an agent chose is kept even while the catalogue is being rewritten.
agent_status = Table(
    "agent_status",
    metadata,
    _key("agent_id"),
    _some("status", String(20)),
    Column("reason", String(200)),
    Column("device", String(128)),
    _some("since", UtcDateTime),
)

# Queues that a supervisor has closed, until they are opened again. No foreign key, as above.
closings = Table("closings", metadata, _key("queue_id"), _some("since", UtcDateTime), _some("data", JSON))

# Messages that callers left, by the name of their file. One that was removed stays known, so that its file, if it could not be
# taken away, does not bring it back.
voicemails = Table(
    "voicemails",
    metadata,
    _key("id", String(200)),
    _some("pbx", ID),
    _some("call_id", CALL),
    _some("queue_id", ID),
    Column("number", String(200)),
    Column("name", String(200)),
    _some("left_at", UtcDateTime),
    _some("duration_s", Float),
    Column("heard_at", UtcDateTime),
    Column("heard_by", String(200)),
    Column("removed_at", UtcDateTime),
    Column("removed_by", String(200)),
    Index("ix_voicemails_left_at_id", "left_at", "id"),
)

# Numbers, in E.164, that do not want to be called back.
opt_outs = Table(
    "opt_outs", metadata, _key("number", String(20)), _some("since", UtcDateTime), _some("by", String(200))
)

tokens = Table(
    "tokens",
    metadata,
    _key("id"),
    Column("hash", String(64), nullable=False, unique=True),
    _some("role", String(20)),
    _some("name", String(200)),
    Column("agent_id", ID),
    _some("queues", JSON),
    _some("created_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

calls = Table(
    "calls",
    metadata,
    _key("id", CALL),
    _some("leg", CALL),
    _some("pbx", ID),
    _some("queue_id", ID),
    Column("number", String(200)),
    Column("name", String(200)),
    _some("priority", Integer),
    _some("entered_at", UtcDateTime),
    _some("waited_s", Float),
    Column("outcome", String(20)),
    Column("agent_id", ID),
    Column("device", String(128)),
    Column("agent_leg", CALL),
    Column("parts", JSON),  # its talks and transfers, in order; of a call of an older version null
    Column("connected_at", UtcDateTime),
    Column("talk_s", Float),
    _some("hold_s", Float),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(40)),
    Column("disposition", String(200)),
    Column("notes", Text),
    Column("language", String(40)),
    Column("place_since", UtcDateTime),
    Column("callback_id", CALL),
    Index("ix_calls_entered_at_id", "entered_at", "id"),
    Index("ix_calls_queue_id_entered_at", "queue_id", "entered_at"),
    Index("ix_calls_agent_id_entered_at", "agent_id", "entered_at"),
    Index("ix_calls_number_entered_at", "number", "entered_at"),
)

visits = Table(
    "visits",
    metadata,
    _key("call_id", CALL),
    _key("queue_id"),
    _key("entered_at", UtcDateTime),
    _some("decided_at", UtcDateTime),
    _some("outcome", String(20)),
    _some("waited_s", Float),
    _some("short", Boolean),
    Column("reason", String(40)),  # of an overflowed visit: the limit …
    Column("led_to", String(200)),  # … and where it led
    Column("target_s", Float),  # the promise of that moment
    Index("ix_visits_queue_id_entered_at", "queue_id", "entered_at"),
    Index(None, "entered_at"),
)

# One row a conversation: an agent's part of a call.
talks = Table(
    "talks",
    metadata,
    _key("call_id", CALL),
    _key("agent_id"),
    _key("ended_at", UtcDateTime),
    _some("queue_id", ID),
    _some("began_at", UtcDateTime),
    _some("talk_s", Float),
    _some("hold_s", Float),
    Column("wrap_up_s", Float),
    _some("fault", Boolean),
    Index("ix_talks_agent_id_ended_at", "agent_id", "ended_at"),
    Index("ix_talks_queue_id_ended_at", "queue_id", "ended_at"),
    Index(None, "began_at"),
)

# Figures of 15 minutes, worked out from the tables above (nobat.storage.figures); ``start`` is seconds since the epoch.
queue_figures = Table(
    "queue_figures",
    metadata,
    _key("queue_id"),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    *(_some(name, Integer) for name in VISIT_COUNTS),
    *(_some(name, Float) for name in VISIT_SUMS),
    _some("handled", Integer),
    *(_some(name, Float) for name in TALK_SUMS),
    Index(None, "start"),
)

agent_figures = Table(
    "agent_figures",
    metadata,
    _key("agent_id"),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    _some("handled", Integer),
    *(_some(name, Float) for name in TALK_SUMS),
    _some("missed", Integer),
    *(_some(name, Float) for name in STATE_SUMS),
    _some("last_state", String(20)),  # in which the agent was at the interval's end
    Index(None, "start"),
)

# One row: until when everything written has been worked out.
figures_until = Table("figures_until", metadata, Column("id", Integer, primary_key=True), _some("at", Float))

# Reports that were sent by mail or are being: one row a report and span (``begin``, seconds since the epoch).
mails = Table(
    "mails",
    metadata,
    _key("report"),
    Column("begin", BigInteger, primary_key=True, autoincrement=False),
    _some("end", BigInteger),
    _some("state", String(20)),
    _some("attempts", Integer),
    _some("tried_at", UtcDateTime),
    Column("error", String(200)),
    _some("recipients", JSON),
)

# Everything that happened, in order: a run of the service and a count within it make the key, so a repeated write adds nothing.
events = Table(
    "events",
    metadata,
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _some("at", UtcDateTime),
    _some("kind", String(40)),
    Column("call_id", CALL),
    Column("queue_id", ID),
    Column("agent_id", ID),
    _some("data", JSON),
    Index(None, "call_id"),
    Index(None, "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _some("at", UtcDateTime),
    _some("token_id", ID),
    _some("token_name", String(200)),
    _some("role", String(20)),
    _some("action", String(80)),
    _some("target", String(200)),
    Index(None, "at"),
)

# Promises to call back. What the promise says and what its end says are written apart, so most may be missing for a moment.
callbacks = Table(
    "callbacks",
    metadata,
    _key("id", CALL),
    _some("queue_id", ID),
    Column("pbx", ID),
    Column("call_id", CALL),
    Column("number", String(200)),
    Column("name", String(200)),
    Column("language", String(40)),
    Column("since", UtcDateTime),
    Column("serial", BigInteger),
    Column("priority", Integer),
    Column("promised_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("due_from", UtcDateTime),
    Column("zone", String(64)),
    Column("agent_id", ID),
    Column("window_from", UtcDateTime),
    Column("window_to", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("why", String(20)),
    Column("tries", Integer),
    Column("waited_s", Float),
    Column("in_call", CALL),
    Column("ended_by", String(200)),
    Index("ix_callbacks_promised_at_id", "promised_at", "id"),
    Index(None, "ended_at"),
    Index("ix_callbacks_number_promised_at", "number", "promised_at"),
)

# Every attempt to reach a customer: a row without a result is an intent of which nobody knows yet what became.
callback_attempts = Table(
    "callback_attempts",
    metadata,
    _key("id", CALL),
    _some("callback_id", CALL),
    Column("planned_at", UtcDateTime),
    Column("mode", String(20)),
    Column("agent_id", ID),
    Column("boot", String(64)),
    Column("ended_at", UtcDateTime),
    Column("result", String(20)),
    Column("next_at", UtcDateTime),
    Index(None, "callback_id"),
)
