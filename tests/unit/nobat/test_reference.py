"""The generated reference is what the code says, and the code says what the contract promises."""

from nobat.metrics import descriptions
from nobat.reference import FOLDER, documents

CONTRACT = {
    "acd_calls_entered_total": ("queue",),
    "acd_calls_ended_total": ("queue", "outcome"),
    "acd_calls_waiting": ("queue", "kind"),
    "acd_longest_wait_seconds": ("queue",),
    "acd_wait_seconds": ("queue",),
    "acd_talk_seconds": ("queue",),
    "acd_wrap_up_seconds": ("queue",),
    "acd_service_level_ratio": ("queue",),
    "acd_break_requests": ("queue",),
    "acd_long_breaks_total": ("queue",),
    "acd_long_wrap_ups_total": ("queue",),
    "acd_expected_wait_error_seconds": ("queue",),
    "acd_expected_wait_inside_ratio": ("queue",),
    "acd_agents": ("queue", "state"),
    "acd_offers_total": ("queue", "result"),
    "acd_announcements_total": ("queue",),
    "acd_callbacks": ("queue", "state"),
    "acd_callback_attempts_total": ("queue", "result"),
    "acd_callback_refusals_total": ("reason",),
    "acd_dispatch_seconds": ("pbx",),
    "ami_connected": ("pbx",),
    "ami_warning": ("pbx", "warning"),
    "ami_events_total": ("pbx", "name"),
    "ami_quarantined_total": ("pbx", "reason"),
    "ami_actions_total": ("pbx", "action", "result"),
    "ami_action_seconds": ("pbx",),
    "acd_recovery_seconds": ("pbx",),
    "acd_reconciled_total": ("kind",),
    "acd_recordings_total": ("queue", "result"),
    "acd_recording_changes_total": ("queue", "action"),
    "acd_recordings_pending": (),
    "acd_surveys_total": ("queue", "score"),
    "acd_supervisions": ("mode",),
    "acd_history_pending": (),
    "acd_history_lost": (),
    "acd_journal_up": (),
    "acd_database_up": (),
    "acd_inbox_lag_seconds": (),
    "acd_requests_shed_total": ("kind",),
    "acd_tasks": (),
    "ami_remembered": ("pbx",),
}


def test_the_committed_reference_is_current() -> None:
    for name, text in documents().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"{name} is out of date: run `make docs`"


def test_metrics_have_the_names_and_labels_of_the_contract() -> None:
    assert {one.name: one.labels for one in descriptions()} == CONTRACT
