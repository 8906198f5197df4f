"""What we ask of Asterisk: one frozen dataclass for each action, and the only encoder.

AMI lines end at CR or LF, so a line end in any value would be an action of somebody else's making; Asterisk reads a Hangup
that starts with ``/`` as a regular expression and hangs up every channel that matches. Everything is therefore checked here,
before a byte is queued: values have no control characters, channels are exact names, variables come from a fixed list.
``encode`` raises ``ActionRefused`` and nothing is sent.

``ami.translate`` and ``ami.resync`` make actions, ``ami.link`` encodes and sends them.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from ami import callback_actions, names, note_actions, patterns
from ami.checks import MAX_HEADERS, ActionRefused, Headers, check_line, exact_channel, joined
from ami.checks import checked as _checked
from ami.consult_actions import RedirectBoth, SetAsker, SetBy, SetWith
from ami.feature_action import FeatureAction
from ami.readings import ASK_VARIABLES, CALL_VARIABLES, SNAPSHOT_VARIABLES
from ami.recording_actions import MixMonitorMute, SetRecordingShown

__all__ = ["ActionRefused", "Headers", "exact_channel", "joined"]

_CHANNEL_VARIABLES = frozenset({names.MUSIC, names.REPLY})
_OFFER_VARIABLES = f"ARRAY({names.OFFER_ID},{names.TARGETS},{names.RING_S},{names.RECORD})"
_LEAD_VARIABLES = (
    f"ARRAY({names.PROMPTS},{names.DIAL},{names.RING_S},{names.VOICEMAIL},{names.MOST_S},{names.SILENCE_S})"
)
_ANNOUNCE_VARIABLES = f"ARRAY({names.ANNOUNCE_ID},{names.ANNOUNCE})"
_LANGUAGE_OF_CHANNEL = "CHANNEL(language)"
_READABLE = frozenset({*SNAPSHOT_VARIABLES, *ASK_VARIABLES, names.ASK_KEYED, names.ASK_CODE})
_PLACES = frozenset({*names.CONTEXTS}) - {
    names.FALLBACK,
    names.RECORDER,
    names.CALLBACK,
    names.NOTE,
}  # nobody is moved there
_GLOBALS = frozenset({names.SERVICE, names.HEARTBEAT, names.EPOCH})


@dataclass(frozen=True, slots=True)
class Login:
    """``events`` are those that the account's filters let through."""

    action: ClassVar[str] = "Login"
    username: str
    secret: str = field(repr=False)

    def headers(self) -> Headers:
        return (("Username", self.username), ("Secret", self.secret), ("Events", "on"))


@dataclass(frozen=True, slots=True)
class Ping:
    action: ClassVar[str] = "Ping"

    def headers(self) -> Headers:
        return ()


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """Version and system name."""

    action: ClassVar[str] = "CoreSettings"

    def headers(self) -> Headers:
        return ()


@dataclass(frozen=True, slots=True)
class CoreStatus:
    """When Asterisk was started."""

    action: ClassVar[str] = "CoreStatus"

    def headers(self) -> Headers:
        return ()


@dataclass(frozen=True, slots=True)
class DeviceStateList:
    action: ClassVar[str] = "DeviceStateList"

    def headers(self) -> Headers:
        return ()


@dataclass(frozen=True, slots=True)
class ShowDialPlan:
    """The lines of one context; an error if there is none of that name."""

    action: ClassVar[str] = "ShowDialPlan"
    context: str

    def headers(self) -> Headers:
        return (("Context", _checked(patterns.NAME, self.context, "Context")),)


@dataclass(frozen=True, slots=True)
class Status:
    """Every channel, or one, each with the variables named."""

    action: ClassVar[str] = "Status"
    variables: tuple[str, ...] = CALL_VARIABLES
    channel: str | None = None

    def headers(self) -> Headers:
        if not _READABLE.issuperset(self.variables):
            raise ActionRefused("unknown_variable", "Variables")
        wanted = (("Variables", ",".join(self.variables)),)
        return wanted if self.channel is None else (("Channel", exact_channel(self.channel)), *wanted)


@dataclass(frozen=True, slots=True)
class SetVariable:
    """A variable of a channel. The value is plain text to Asterisk: the dialplan must not evaluate it."""

    action: ClassVar[str] = "Setvar"
    channel: str
    name: str
    value: str

    def headers(self) -> Headers:
        if self.name not in _CHANNEL_VARIABLES:
            raise ActionRefused("unknown_variable", "Variable")
        _checked(patterns.NAME, self.value, "Value")
        return (("Channel", exact_channel(self.channel)), ("Variable", self.name), ("Value", self.value))


@dataclass(frozen=True, slots=True)
class SetOffer:
    """What ``acd-offer`` needs, four variables at once by Asterisk's ``ARRAY``; no part of the value may hold a comma."""

    action: ClassVar[str] = "Setvar"
    channel: str
    offer: str
    targets: tuple[str, ...]
    ring_s: int
    record: str = ""

    def headers(self) -> Headers:
        if not 1 <= self.ring_s <= 3600:
            raise ActionRefused("malformed_value", "Value")
        record = _checked(patterns.NAME, self.record, "Value") if self.record else ""
        value = f"{_checked(patterns.NAME, self.offer, 'Value')},{joined(self.targets)},{self.ring_s},{record}"
        return (("Channel", exact_channel(self.channel)), ("Variable", _OFFER_VARIABLES), ("Value", value))


@dataclass(frozen=True, slots=True)
class SetLead:
    """What ``acd-lead`` needs: sounds to say, and for a number or a message of the caller's what comes then."""

    action: ClassVar[str] = "Setvar"
    channel: str
    sounds: tuple[str, ...]
    dial: str = ""
    ring_s: int = 0
    file: str = ""
    most_s: int = 0
    silence_s: int = 0

    def headers(self) -> Headers:
        sounds = "&".join(_checked(patterns.SOUND, sound, "Value") for sound in self.sounds)
        dial = _checked(patterns.DIAL_STRING, self.dial, "Value") if self.dial else ""
        file = _checked(patterns.FILE, self.file, "Value") if self.file else ""
        if not all(0 <= seconds <= 3600 for seconds in (self.ring_s, self.most_s, self.silence_s)):
            raise ActionRefused("malformed_value", "Value")
        value = f"{sounds},{dial},{self.ring_s:d},{file},{self.most_s:d},{self.silence_s:d}"
        return (("Channel", exact_channel(self.channel)), ("Variable", _LEAD_VARIABLES), ("Value", value))


@dataclass(frozen=True, slots=True)
class SetVisit:
    """What a caller keeps who comes into a line again, and the prompt that is played first; ``done`` closes the offer before."""

    action: ClassVar[str] = "Setvar"
    channel: str
    queue: str
    entered_at: float
    since: float
    front: bool
    trail: tuple[str, ...] = ()
    says: str = ""
    done: str | None = None

    def headers(self) -> Headers:
        visit = f"{round(self.entered_at * 1000)}-{round(self.since * 1000)}-{int(self.front)}"
        pairs = [(names.QUEUE, self.queue), (names.VISIT, visit)]
        if self.done is not None:
            pairs.append((names.DONE, self.done))
        values = [_checked(patterns.NAME, value, "Value") for _, value in pairs]
        pairs += [(names.TRAIL, ""), (names.SAYS, "")]
        values.append(".".join(_checked(patterns.NAME, queue, "Value") for queue in self.trail))
        values.append(_checked(patterns.NAME, self.says, "Value") if self.says else "")
        variables = f"ARRAY({','.join(name for name, _ in pairs)})"
        return (("Channel", exact_channel(self.channel)), ("Variable", variables), ("Value", ",".join(values)))


@dataclass(frozen=True, slots=True)
class SetAnnouncement:
    """What a caller who waits is to hear next; it takes the place of what he has not begun to hear yet."""

    action: ClassVar[str] = "Setvar"
    channel: str
    say: str
    prompts: tuple[str, ...]

    def headers(self) -> Headers:
        if not self.prompts:
            raise ActionRefused("malformed_value", "Value")
        prompts = "&".join(_checked(patterns.PROMPT, prompt, "Value") for prompt in self.prompts)
        value = f"{_checked(patterns.NAME, self.say, 'Value')},{prompts}"
        return (("Channel", exact_channel(self.channel)), ("Variable", _ANNOUNCE_VARIABLES), ("Value", value))


@dataclass(frozen=True, slots=True)
class SetLanguage:
    """The language in which a channel hears prompts."""

    action: ClassVar[str] = "Setvar"
    channel: str
    language: str

    def headers(self) -> Headers:
        language = _checked(patterns.LANGUAGE, self.language, "Value")
        return (("Channel", exact_channel(self.channel)), ("Variable", _LANGUAGE_OF_CHANNEL), ("Value", language))


@dataclass(frozen=True, slots=True)
class SetPlace:
    """The moment, in milliseconds since the epoch, from which a caller's place counts."""

    action: ClassVar[str] = "Setvar"
    channel: str
    since_ms: int

    def headers(self) -> Headers:
        return (("Channel", exact_channel(self.channel)), ("Variable", names.PLACE), ("Value", str(self.since_ms)))


@dataclass(frozen=True, slots=True)
class SetGlobal:
    """A global variable. An empty value is how it is taken away."""

    action: ClassVar[str] = "Setvar"
    name: str
    value: str

    def headers(self) -> Headers:
        known = patterns.NUMBER_VARIABLE.fullmatch(self.name) or patterns.QUEUE_VARIABLE.fullmatch(self.name)
        if self.name not in _GLOBALS and not known:
            raise ActionRefused("unknown_variable", "Variable")
        if self.value:
            _checked(patterns.NAME, self.value, "Value")
        return (("Variable", self.name), ("Value", self.value))


@dataclass(frozen=True, slots=True)
class TryDangerous:
    """Write a row of AstDB that nobody reads, past the dialplan: an error where ``live_dangerously`` is off, as it must be.

    Not Getvar, which answers Success and an empty value either way. ``forget`` takes the row out again; that is never refused.
    """

    action: ClassVar[str] = "Setvar"
    forget: bool = False

    def headers(self) -> Headers:
        return (("Variable", f"{'DB_DELETE' if self.forget else 'DB'}({names.PROBE})"), ("Value", "1"))


@dataclass(frozen=True, slots=True)
class SetTitle:
    """What agents' phones show of a queue. An empty one is how it is taken away. ``title_of`` makes one that may be sent."""

    action: ClassVar[str] = "Setvar"
    queue: str
    title: str

    def headers(self) -> Headers:
        queue = _checked(patterns.QUEUE, self.queue, "Variable")
        if self.title:
            _checked(patterns.TITLE, self.title, "Value")
        return (("Variable", names.TITLE_OF_QUEUE + queue), ("Value", self.title))


def title_of(name: str) -> str:
    """As much of a queue's name as a phone is shown: letters of any alphabet, digits, spaces, dots and hyphens."""
    return "".join(one for one in name if patterns.TITLE.fullmatch(one))[: patterns.TITLE_LENGTH].strip()


@dataclass(frozen=True, slots=True)
class PauseMember:
    """Whether a member of a queue of app_queue is paused. An error if there is no such queue or member."""

    action: ClassVar[str] = "Setvar"
    queue: str
    member: str
    paused: bool

    def headers(self) -> Headers:
        queue, member = (
            _checked(patterns.NAME, self.queue, "Variable"),
            _checked(patterns.DIAL_STRING, self.member, "Variable"),
        )
        return (("Variable", f"QUEUE_MEMBER({queue},paused,{member})"), ("Value", str(int(self.paused))))


@dataclass(frozen=True, slots=True)
class QueueExists:
    """Whether app_queue has this queue: ``Value`` of the answer is 1 or 0."""

    action: ClassVar[str] = "Getvar"
    queue: str

    def headers(self) -> Headers:
        return (("Variable", f"QUEUE_EXISTS({_checked(patterns.NAME, self.queue, 'Variable')})"),)


@dataclass(frozen=True, slots=True)
class WithdrawCaller:
    """Ask app_queue to let a caller go back to the dialplan, if nobody has answered by the time that it looks."""

    action: ClassVar[str] = "QueueWithdrawCaller"
    queue: str
    channel: str

    def headers(self) -> Headers:
        return (("Queue", _checked(patterns.NAME, self.queue, "Queue")), ("Caller", exact_channel(self.channel)))


@dataclass(frozen=True, slots=True)
class Redirect:
    """Move a channel into one of our contexts. Asterisk says Success to anything: who may be moved is decided before."""

    action: ClassVar[str] = "Redirect"
    channel: str
    context: str
    exten: str = "s"

    def headers(self) -> Headers:
        if self.context not in _PLACES:
            raise ActionRefused("unknown_context", "Context")
        exten = _checked(patterns.NAME, self.exten, "Exten")
        return (
            ("Channel", exact_channel(self.channel)),
            ("Context", self.context),
            ("Exten", exten),
            ("Priority", "1"),
        )


@dataclass(frozen=True, slots=True)
class Hangup:
    """End one channel. ``cause`` is Q.850."""

    action: ClassVar[str] = "Hangup"
    channel: str
    cause: int = 16

    def headers(self) -> Headers:
        if not 0 <= self.cause <= 127:
            raise ActionRefused("malformed_value", "Cause")
        return (("Channel", exact_channel(self.channel)), ("Cause", str(self.cause)))


Action = (
    FeatureAction
    | Login
    | Ping
    | CoreSettings
    | CoreStatus
    | DeviceStateList
    | ShowDialPlan
    | Status
    | SetVariable
    | SetOffer
    | SetLead
    | SetVisit
    | SetAnnouncement
    | SetLanguage
    | SetPlace
    | SetGlobal
    | SetTitle
    | TryDangerous
    | PauseMember
    | QueueExists
    | WithdrawCaller
    | Redirect
    | Hangup
    | callback_actions.DialAttempt
    | callback_actions.ReadMarker
    | note_actions.ReadNotes
    | note_actions.ForgetNotes
    | callback_actions.ListMarkers
    | callback_actions.ForgetMarkers
    | SetAsker
    | SetBy
    | SetWith
    | RedirectBoth
    | MixMonitorMute
    | SetRecordingShown
)


def encode(action: Action) -> Headers:
    """The headers of an action, its name first. Raises ``ActionRefused`` for anything that could be read in two ways."""
    headers = (("Action", action.action), *action.headers())
    if len(headers) + 1 > MAX_HEADERS:  # the ActionID comes on top
        raise ActionRefused("too_many_headers", action.action)
    for header, value in headers:
        check_line(header, value)
    return headers
