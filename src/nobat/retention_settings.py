"""How long history is kept: part of the settings."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from nobat.settings_base import Section

LEAST = 8
"""Days: what a starting service takes up again reaches back a week."""


def _for_ever_or_a_week(days: object) -> object:
    if isinstance(days, int) and 0 < days < LEAST:
        raise ValueError(f"must be 0 (for ever) or at least {LEAST}: a starting service reads the last week")
    return days


Days = Annotated[int, Field(ge=0, le=36_500), BeforeValidator(_for_ever_or_a_week)]


class RetentionSettings(Section):
    """For how many days history is kept; 0: for ever. What is older is removed each hour, some rows at a time. Recordings have
    their own time, in their queue (`keep_days`); the audit log and supervision sessions are kept.
    """

    calls_days: Days = 0
    """Calls with their visits, conversations and surveys, and callbacks that are over. Reports of queues and agents do not need
    them: figures of 15 minutes are kept apart."""

    events_days: Days = 0
    """Events, one by one: what a call's record is worked out from."""

    statuses_days: Days = 0
    """Events that tell what agents did with their time: states, breaks."""

    figures_days: Days = 0
    """Figures of 15 minutes, of which reports of queues and agents are made."""

    voicemails_days: Days = 0
    """Messages that callers left, with their sound."""
