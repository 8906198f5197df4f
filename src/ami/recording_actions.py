"""What we ask of Asterisk about recordings. See ``ami.actions``, which encodes them."""

from dataclasses import dataclass
from typing import ClassVar

from ami import names, patterns
from ami.checks import Headers, checked, exact_channel


@dataclass(frozen=True, slots=True)
class MixMonitorMute:
    """Both directions of whatever records a channel: silent, or heard again. Says how it shall be, so it may be repeated."""

    action: ClassVar[str] = "MixMonitorMute"
    channel: str
    silent: bool

    def headers(self) -> Headers:
        return (("Channel", exact_channel(self.channel)), ("Direction", "both"), ("State", str(int(self.silent))))


@dataclass(frozen=True, slots=True)
class SetRecordingShown:
    """What the dialplan may tell the agent's phone of the recording."""

    action: ClassVar[str] = "Setvar"
    channel: str
    state: str

    def headers(self) -> Headers:
        state = checked(patterns.NAME, self.state, "Value")
        return (("Channel", exact_channel(self.channel)), ("Variable", names.RECORDING_STATE), ("Value", state))
