"""Requests about recordings become actions on the caller's channel. Part of ``ami.translate``."""

from acd.recording_port import ShowRecording, Silence
from ami.book import Book
from ami.recording_actions import MixMonitorMute, SetRecordingShown


def actions_of(book: Book, request: Silence | ShowRecording) -> tuple[MixMonitorMute | SetRecordingShown, ...]:
    """Nothing if the caller is not there any more."""
    call = book.calls.get(request.call)
    if call is None or call.leg != request.leg:
        return ()
    if isinstance(request, Silence):
        return (MixMonitorMute(call.channel, request.silent),)
    return (SetRecordingShown(call.channel, request.state),)
