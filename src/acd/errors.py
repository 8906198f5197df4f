"""What the domain refuses, and why.

::

    AcdError                slug, message, details
    ├── NotFound            unknown_queue · unknown_agent · unknown_call · unknown_caller · unknown_voicemail · unknown_recording ·
    │                       no_audio · unknown_callback
    ├── Conflict            illegal_transition (names both states) · queue_in_use · agent_in_use · number_taken · device_taken ·
    │                       disposition_required · no_break_request · queue_not_closed · not_recorded · recording_required ·
    │                       no_callbacks · callback_pending
    └── Invalid             no_device · unknown_strategy · invalid_number · unknown_disposition · number_not_allowed ·
                            leads_nowhere · invalid_window

Slugs are part of the public API and are never renamed; ``nobat.api.errors`` maps the three classes to HTTP statuses.
"""

from collections.abc import Mapping


class AcdError(Exception):
    """A refusal with a stable ``slug``, a sentence for people, and ``details`` for programs."""

    def __init__(self, slug: str, message: str, **details: str | int | float | None) -> None:
        super().__init__(message)
        self.slug = slug
        self.message = message
        self.details: Mapping[str, str | int | float | None] = details


class NotFound(AcdError):
    """No such queue, agent or call."""


class Conflict(AcdError):
    """The thing exists, and its state does not allow what was asked."""


class Invalid(AcdError):
    """What was asked makes no sense, whatever the state."""


def unknown(kind: str, identifier: str) -> NotFound:
    """``kind`` is queue, agent, call, caller or voicemail."""
    return NotFound(f"unknown_{kind}", f"there is no {kind} {identifier!r}", **{kind: identifier})


def illegal_transition(what: str, current: str, wanted: str) -> Conflict:
    """``what`` cannot go from state ``current`` to ``wanted``; the answer names both."""
    return Conflict(
        "illegal_transition", f"{what} is {current} and cannot become {wanted}", current=current, requested=wanted
    )
