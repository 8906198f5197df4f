"""The tables of figures; ``nobat.storage.schema`` has all of them."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, false

from nobat.storage.schema_base import key, metadata, some

VISIT_COUNTS = (
    "answered", "abandoned", "short_abandoned", "overflowed", "deferred", "lost", "answered_in_target", "abandoned_in_target",
)  # fmt: skip
VISIT_SUMS = ("answer_wait_s", "longest_wait_s")
TOLD_SUMS = ("told", "told_inside", "told_error_s")
TALK_SUMS = ("talk_s", "hold_s", "wrap_up_s")
STATE_SUMS = ("idle_s", "ringing_s", "talking_s", "working_s", "break_s", "elsewhere_s", "unreachable_s")


def _visit_sums() -> "list[Column[Any]]":
    """What is added up of visits and their conversations, whoever they are grouped by."""
    counts = [some(name, Integer) for name in (*VISIT_COUNTS, "handled")]
    # Waits that callers were told as a range and who were answered then: how many, how many of them inside, errors added up.
    told = [Column(name, Integer, nullable=False, server_default="0") for name in ("told", "told_inside")]
    error = Column("told_error_s", Float, nullable=False, server_default="0")
    return [*counts, *(some(name, Float) for name in (*VISIT_SUMS, *TALK_SUMS)), *told, error]


# Figures of 15 minutes, worked out from the tables above (nobat.storage.figures); ``start`` is seconds since the epoch.
queue_figures = Table(
    "queue_figures",
    metadata,
    key("queue_id"),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    *_visit_sums(),
    Index(None, "start"),
)

# The same as of queues, for the visits of one segment of callers, or for those that asked for one skill (``kind``: segment, skill).
# ``name`` is empty for visits of no segment, and for those that asked for none; a visit that asked for two is in both.
group_figures = Table(
    "group_figures",
    metadata,
    key("kind", String(10)),
    key("name"),
    key("queue_id"),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    *_visit_sums(),
    Index(None, "start"),
)

agent_figures = Table(
    "agent_figures",
    metadata,
    key("agent_id"),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    some("handled", Integer),
    *(some(name, Float) for name in TALK_SUMS),
    some("missed", Integer),
    *(some(name, Float) for name in STATE_SUMS),
    Column("productive_s", Float, nullable=False, server_default="0"),  # of ``break_s``: on breaks that are work
    some("last_state", String(20)),  # in which the agent was at the interval's end
    Column(
        "last_productive", Boolean, nullable=False, server_default=false()
    ),  # on a break that is work, or to begin one
    Index(None, "start"),
)

# One row: until when everything written has been worked out.
figures_until = Table("figures_until", metadata, Column("id", Integer, primary_key=True), some("at", Float))
