"""The tables. ``migrations/versions`` makes them; a test compares the two."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from nobat.storage.schema_base import CALL, ID, UtcDateTime, key, metadata, some
from nobat.storage.schema_figures import (
    STATE_SUMS,
    TALK_SUMS,
    agent_figures,
    figures_until,
    group_figures,
    queue_figures,
)

__all__ = ["STATE_SUMS", "TALK_SUMS", "agent_figures", "figures_until", "group_figures", "metadata", "queue_figures"]
# What is passed on from the modules beside this one.

queues = Table(
    "queues",
    metadata,
    key("id"),
    Column("number", String(15), nullable=False, unique=True),
    some("name", String(200)),
    some("strategy", String(40)),
    some("ring_s", Integer),
    some("wrap_up_s", Float),
    some("rest_s", Float),
    some("short_abandon_s", Float),
    some("target_s", Float),
    some("target_ratio", Float),
    some("skills", JSON),
    some("timezone", String(64)),
    some("priority_s", Float),
    some("relax", JSON),
    some("sticky_s", Float),
    some("misses", JSON),
    some("hours", JSON),
    some("overflow", JSON),
    some("announcements", JSON),
    some("wrap_up", JSON),
    some("breaks", JSON),
    some("recording", JSON),
    some("survey", JSON),
    some("supervision", JSON),
    some("callbacks", JSON),
)

agents = Table(
    "agents",
    metadata,
    key("id"),
    some("name", String(200)),
    Column("device", String(128)),
    some("skills", JSON),
    Column("pin_hash", String(200)),
)

memberships = Table(
    "memberships",
    metadata,
    Column("agent_id", ID, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("queue_id", ID, ForeignKey("queues.id", ondelete="CASCADE"), primary_key=True),
    some("place", Integer),
    Column("weight", Integer),
    Column("rank", Integer),
    Index(None, "queue_id"),
)

# One row, counted up by every change of queues and agents, so that a running service notices another program's change.
config_version = Table("config_version", metadata, Column("id", Integer, primary_key=True), some("version", BigInteger))

# Known callers by normalised number. Whoever is taken out is marked, so that a running service that asks for what has a later
# ``version`` learns of removals too.
callers = Table(
    "callers",
    metadata,
    key("number", String(40)),
    Column("name", String(200)),
    Column("segment", String(40)),
    some("priority", Integer),
    some("skills", JSON),
    Column("language", String(40)),
    Column("preferred_agent", ID),
    some("version", BigInteger),
    some("removed", Boolean),
    Index(None, "version"),
)

# One row, counted up by every change of callers.
callers_version = Table(
    "callers_version", metadata, Column("id", Integer, primary_key=True), some("version", BigInteger)
)

# No foreign key: what an agent chose is kept even while the catalogue is being rewritten.
agent_status = Table(
    "agent_status",
    metadata,
    key("agent_id"),
    some("status", String(20)),
    Column("reason", String(200)),
    Column("device", String(128)),
    some("since", UtcDateTime),
)

# Queues that a supervisor has closed, until they are opened again. No foreign key, as above.
closings = Table("closings", metadata, key("queue_id"), some("since", UtcDateTime), some("data", JSON))

# Messages that callers left, by the name of their file. One that was removed stays known, so that its file, if it could not be
# taken away, does not bring it back.
voicemails = Table(
    "voicemails",
    metadata,
    key("id", String(200)),
    some("pbx", ID),
    some("call_id", CALL),
    some("queue_id", ID),
    Column("number", String(200)),
    Column("name", String(200)),
    some("left_at", UtcDateTime),
    some("duration_s", Float),
    Column("heard_at", UtcDateTime),
    Column("heard_by", String(200)),
    Column("removed_at", UtcDateTime),
    Column("removed_by", String(200)),
    Index("ix_voicemails_left_at_id", "left_at", "id"),
    Index(None, "number"),
)

# Recordings of conversations, by the name under which the PBX makes them. ``key`` opens the file and is wrapped by the master key;
# a recording that was erased has none any more, nor the caller's number.
recordings = Table(
    "recordings",
    metadata,
    key("id"),
    some("pbx", ID),
    some("call_id", CALL),
    some("queue_id", ID),
    Column("agent_id", ID),
    Column("number", String(200)),
    some("mode", String(20)),
    some("began_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    some("state", String(20)),
    Column("duration_s", Float),
    Column("silent_s", Float),
    some("supervised", Boolean),
    Column("size", BigInteger),
    Column("key", String(200)),
    Column("keep_until", UtcDateTime),
    Column("erased_at", UtcDateTime),
    Column("erased_by", String(200)),
    Index("ix_recordings_began_at_id", "began_at", "id"),
    Index(None, "call_id"),
    Index(None, "number"),
    Index(None, "state"),
    Index(None, "keep_until"),
)

# Callers who were asked what they thought of their conversation, one row a call; those who did not answer have no score.
surveys = Table(
    "surveys",
    metadata,
    key("call_id", CALL),
    some("queue_id", ID),
    Column("agent_id", ID),
    some("at", UtcDateTime),
    Column("score", Integer),
    Index("ix_surveys_queue_id_at", "queue_id", "at"),
)

# Numbers, in E.164, that do not want to be called back.
opt_outs = Table("opt_outs", metadata, key("number", String(20)), some("since", UtcDateTime), some("by", String(200)))

tokens = Table(
    "tokens",
    metadata,
    key("id"),
    Column("hash", String(64), nullable=False, unique=True),
    some("role", String(20)),
    some("name", String(200)),
    Column("agent_id", ID),
    some("queues", JSON),
    some("created_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("ends_at", UtcDateTime),
)

calls = Table(
    "calls",
    metadata,
    key("id", CALL),
    some("leg", CALL),
    some("pbx", ID),
    some("queue_id", ID),
    Column("number", String(200)),
    Column("name", String(200)),
    some("priority", Integer),
    some("entered_at", UtcDateTime),
    some("waited_s", Float),
    Column("outcome", String(20)),
    Column("agent_id", ID),
    Column("device", String(128)),
    Column("agent_leg", CALL),
    Column("parts", JSON),  # its talks and transfers, in order; of a call of an older version null
    Column("connected_at", UtcDateTime),
    Column("talk_s", Float),
    some("hold_s", Float),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(40)),
    Column("disposition", String(200)),
    Column("notes", Text),
    Column("language", String(40)),
    Column("place_since", UtcDateTime),
    Column("survey", Integer),
    Column("callback_id", CALL),
    Index("ix_calls_entered_at_id", "entered_at", "id"),
    Index("ix_calls_queue_id_entered_at_id", "queue_id", "entered_at", "id"),  # several queues are read from it alone
    Index("ix_calls_agent_id_entered_at", "agent_id", "entered_at"),
    Index("ix_calls_number_entered_at", "number", "entered_at"),
    Index("ix_calls_outcome_entered_at", "outcome", "entered_at"),
    Index("ix_calls_disposition_entered_at", "disposition", "entered_at"),
)

# Agents and queues (``role``) that had a part in a call before the last one, which stands in its row: few calls have any. The key
# is in the order in which calls are listed.
earlier_parties = Table(
    "earlier_parties",
    metadata,
    key("role", String(10)),
    key("party_id"),
    key("entered_at", UtcDateTime),
    key("call_id", CALL),
    Index(None, "call_id"),
)

visits = Table(
    "visits",
    metadata,
    key("call_id", CALL),
    key("queue_id"),
    key("entered_at", UtcDateTime),
    some("decided_at", UtcDateTime),
    some("outcome", String(20)),
    some("waited_s", Float),
    some("short", Boolean),
    Column("reason", String(40)),  # of an overflowed visit: the limit …
    Column("led_to", String(200)),  # … and where it led
    Column("target_s", Float),  # the promise of that moment
    Column("segment", String(40)),
    Column("skills", Text),  # names of what was asked of agents, with commas between them
    Index("ix_visits_queue_id_entered_at", "queue_id", "entered_at"),
    Index(None, "entered_at"),
)

# One row a conversation: an agent's part of a call.
talks = Table(
    "talks",
    metadata,
    key("call_id", CALL),
    key("agent_id"),
    key("ended_at", UtcDateTime),
    some("queue_id", ID),
    some("began_at", UtcDateTime),
    some("talk_s", Float),
    some("hold_s", Float),
    Column("wrap_up_s", Float),
    some("fault", Boolean),
    Index("ix_talks_agent_id_ended_at", "agent_id", "ended_at"),
    Index("ix_talks_queue_id_ended_at", "queue_id", "ended_at"),
    Index(None, "began_at"),
)

# Reports that were sent by mail or are being: one row a report and span (``begin``, seconds since the epoch).
mails = Table(
    "mails",
    metadata,
    key("report"),
    Column("begin", BigInteger, primary_key=True, autoincrement=False),
    some("end", BigInteger),
    some("state", String(20)),
    some("attempts", Integer),
    some("tried_at", UtcDateTime),
    Column("error", String(200)),
    some("recipients", JSON),
)

# Everything that happened, in order: a run of the service and a count within it make the key, so a repeated write adds nothing.
events = Table(
    "events",
    metadata,
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    some("at", UtcDateTime),
    some("kind", String(40)),
    Column("call_id", CALL),
    Column("queue_id", ID),
    Column("agent_id", ID),
    Column("number", String(200)),  # the telephone number that it tells of, for it must be found again to be erased
    some("data", JSON),
    Index(None, "call_id"),
    Index(None, "at"),
    # Where the number is not NULL, on PostgreSQL too; but to say so here would load its dialect at each start on SQLite.
    Index(None, "number", sqlite_where=text("number IS NOT NULL")),
)

# Until when events that were kept for long enough have been removed, by kind (nobat.storage.retention): seconds since the epoch.
retention_marks = Table("retention_marks", metadata, key("kind", String(20)), some("until", Float))

audit = Table(
    "audit",
    metadata,
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    some("at", UtcDateTime),
    some("token_id", ID),
    some("token_name", String(200)),
    some("role", String(20)),
    some("action", String(80)),
    some("target", String(200)),
    some("number", BigInteger),
    some("before", String(64)),
    some("hash", String(64)),
    UniqueConstraint("number"),
    Index(None, "at"),
)

# One row: the newest of the audit's chain, and the last that was forgotten (nobat.storage.audit).
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    some("number", BigInteger),
    some("hash", String(64)),
    some("trimmed_number", BigInteger),
    some("trimmed_hash", String(64)),
)

# Sessions in which supervisors are brought into conversations. One without an end is taken up again at the next start.
supervisions = Table(
    "supervisions",
    metadata,
    key("id", CALL),
    some("token_id", ID),
    some("name", String(200)),
    some("role", String(20)),
    some("device", String(128)),
    Column("agent_id", ID),
    Column("call_id", CALL),
    some("mode", String(20)),
    some("began_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("reason", String(40)),
    Index("ix_supervisions_began_at_id", "began_at", "id"),
)

# Who was in whose conversation, in which mode, from when to when: on disk before anything is heard.
supervised = Table(
    "supervised",
    metadata,
    key("supervision_id", CALL),
    key("from_at", UtcDateTime),
    Column("to_at", UtcDateTime),
    some("call_id", CALL),
    some("queue_id", ID),
    some("agent_id", ID),
    some("mode", String(20)),
    Index(None, "call_id"),
    Index("ix_supervised_agent_id_from_at", "agent_id", "from_at"),
)

# Promises to call back. What the promise says and what its end says are written apart, so most may be missing for a moment.
callbacks = Table(
    "callbacks",
    metadata,
    key("id", CALL),
    some("queue_id", ID),
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
    Column("chosen", String(40)),
    Column("ended_at", UtcDateTime),
    Column("why", String(20)),
    Column("tries", Integer),
    Column("waited_s", Float),
    Column("in_call", CALL),
    Column("ended_by", String(200)),
    Index("ix_callbacks_promised_at_id", "promised_at", "id"),
    Index(None, "ended_at"),
    Index(None, "call_id"),
    Index(None, "in_call"),
    Index("ix_callbacks_number_promised_at", "number", "promised_at"),
)

# One row: from it the codes of callbacks are worked out (callback.codes).
callback_secret = Table(
    "callback_secret",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    some("secret", String(64)),
)

# Every attempt to reach a customer: a row without a result is an intent of which nobody knows yet what became.
callback_attempts = Table(
    "callback_attempts",
    metadata,
    key("id", CALL),
    some("callback_id", CALL),
    Column("planned_at", UtcDateTime),
    Column("mode", String(20)),
    Column("agent_id", ID),
    Column("boot", String(64)),
    Column("ended_at", UtcDateTime),
    Column("result", String(20)),
    Column("next_at", UtcDateTime),
    Index(None, "callback_id"),
)
