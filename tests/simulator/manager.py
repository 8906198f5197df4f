"""AMI as Asterisk speaks it: one thread a session, actions one after the other, events in between.

While an action is carried out its session's events wait, so what an action brings about is told after its response, and a list is
no picture of one moment: each channel is read when its turn comes. Redirect says Success to any channel that is there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ami import names as n
from tests.simulator.asterisk import Asterisk
from tests.simulator.channels import NORMAL, Channel
from tests.simulator.wire import Connection, Wire

Headers = dict[str, str]


@dataclass(eq=False)
class Session:
    """One connection's thread."""

    connection: Connection
    rest: bytes = b""
    todo: list[Headers] = field(default_factory=list)
    busy: bool = False
    held: list[tuple[str, bytes]] = field(default_factory=list)
    logged_in: bool = False


class Manager:
    """The AMI of one Asterisk."""

    def __init__(self, asterisk: Asterisk) -> None:
        self.asterisk = asterisk
        self.wire: Wire | None = None
        self.sessions: list[Session] = []
        self.actions: list[Headers] = []
        self.epochs: list[int] = []
        self.tell: Callable[[str], None] = lambda _: None
        asterisk.say = self.event

    # ------------------------------------------------------------ the wire's peer

    def connected(self, connection: Connection) -> None:
        self.sessions.append(Session(connection))
        connection.deliver(b"Asterisk Call Manager/11.0.0\r\n")

    def gone(self, connection: Connection) -> None:
        self.sessions = [one for one in self.sessions if one.connection is not connection]

    def received(self, connection: Connection, data: bytes) -> None:
        session = next((one for one in self.sessions if one.connection is connection), None)
        if session is None:
            return
        *whole, session.rest = (session.rest + data).split(b"\r\n\r\n")
        for raw in whole:
            lines = raw.decode().split("\r\n")
            session.todo.append(dict(line.partition(": ")[::2] for line in lines))
        if not session.busy:
            self._next(session)

    # ------------------------------------------------------------ events

    def event(self, key: str, name: str, headers: Headers) -> None:
        """To every session, when its thread has time."""
        asterisk = self.asterisk
        lines = [f"Event: {name}", "Privilege: call,all", f"Timestamp: {asterisk.clockwork.now:.6f}"]
        lines += [f"SystemName: {asterisk.name}", *(f"{header}: {value}" for header, value in headers.items())]
        raw = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self.tell(f"     {name} " + " ".join(f"{value}" for value in headers.values()))
        for session in self.sessions:
            if session.busy:
                session.held.append((key, raw))
            elif session.logged_in and self.wire is not None:
                self.wire.carry_event(session.connection, key, raw)

    # ------------------------------------------------------------ actions

    def _next(self, session: Session) -> None:
        """Take the next action: its effect comes at some moment of it, its response at the end, then the events that waited."""
        if not session.todo:
            session.busy = False
            return
        session.busy = True
        action = session.todo.pop(0)
        dice, clockwork = self.asterisk.dice, self.asterisk.clockwork
        lasts = dice.uniform(0.00005, 0.0004) if dice.random() < 0.98 else dice.uniform(0.002, 0.02)
        slow = action["Action"] == "Status" and "Channel" not in action
        if slow:
            self._status_of_all(session, action)
        else:
            clockwork.after(lasts, lambda: self._done(session, action, self._do(session, action)))

    def _done(self, session: Session, action: Headers, response: str) -> None:
        wire = self.wire
        if session not in self.sessions or wire is None:
            return
        mute = wire.faults.mute and action["Action"] not in ("Login", "Ping")
        if not (mute and self.asterisk.dice.random() < wire.faults.mute):
            session.connection.deliver(response.replace("\n", "\r\n").encode())
        for key, raw in session.held:
            if session.logged_in:
                wire.carry_event(session.connection, key, raw)
        session.held.clear()
        self._next(session)

    def _do(self, session: Session, action: Headers) -> str:
        """Carry one action out; its response."""
        self.actions.append(action)
        tag = f"ActionID: {action.get('ActionID', '')}\n"
        name = action["Action"]
        if name not in ("Ping", "ShowDialPlan", "CoreSettings", "CoreStatus", "DeviceStateList", "DBGetTree"):
            shown = " ".join(
                value for header, value in action.items() if header not in ("Action", "ActionID", "Secret")
            )
            self.tell(f"  -> {name} {shown[:150]}")
        if name == "Login":
            session.logged_in = True
            session.held.append(("", b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n"))
        doers: dict[str, Callable[[Headers, str], str]] = {
            "CoreSettings": self._core_settings,
            "CoreStatus": self._core_status,
            "ShowDialPlan": self._dialplan,
            "DeviceStateList": self._devices,
            "Status": self._status_of_one,
            "Setvar": self._set,
            "Getvar": self._get,
            "Redirect": self._redirect,
            "Hangup": self._hang_up,
            "QueueWithdrawCaller": self._withdraw,
            "DBGetTree": self._notes,
            "Originate": self._originate,
        }
        doer = doers.get(name)
        return doer(action, tag) if doer is not None else f"Response: Success\n{tag}Message: Pong\n\n"

    def _core_settings(self, _action: Headers, tag: str) -> str:
        return f"Response: Success\n{tag}AMIversion: 11.0.0\nAsteriskVersion: 22.10.1\nSystemName: {self.asterisk.name}\n\n"

    def _core_status(self, _action: Headers, tag: str) -> str:
        boot = datetime.fromtimestamp(self.asterisk.boot, UTC)
        return f"Response: Success\n{tag}CoreStartupDate: {boot:%Y-%m-%d}\nCoreStartupTime: {boot:%H:%M:%S}\n\n"

    def _dialplan(self, action: Headers, tag: str) -> str:
        return (
            f"Response: Success\n{tag}EventList: start\nMessage: DialPlan list will follow\n\n"
            f"Event: ListDialplan\n{tag}Context: {action['Context']}\nExtension: s\nPriority: 1\nApplication: Set\n\n"
            f"Event: ShowDialPlanComplete\n{tag}EventList: Complete\nListItems: 1\n\n"
        )

    def _devices(self, _action: Headers, tag: str) -> str:
        items = "".join(
            f"Event: DeviceStateChange\n{tag}Device: {phone.device}\nState: {phone.state}\n\n"
            for phone in self.asterisk.phones.values()
        )
        start = f"Response: Success\n{tag}EventList: start\nMessage: Device State Changes will follow\n\n"
        return start + items + f"Event: DeviceStateListComplete\n{tag}EventList: Complete\nListItems: 0\n\n"

    def _status_of_all(self, session: Session, action: Headers) -> None:
        """Channel after channel, each as it is in its moment."""
        self.actions.append(action)
        clockwork, dice = self.asterisk.clockwork, self.asterisk.dice
        tag = f"ActionID: {action.get('ActionID', '')}\n"
        parts = [f"Response: Success\n{tag}EventList: start\nMessage: Channel status will follow\n\n"]
        at = clockwork.now
        boot = self.asterisk.boot

        def take(channel: Channel) -> None:
            if channel.alive and self.asterisk.boot == boot:
                parts.append(self._shown(channel, action, tag))

        for channel in tuple(self.asterisk.channels.values()):
            at += dice.uniform(0.00002, 0.0003)
            clockwork.at(at, lambda channel=channel: take(channel))  # type: ignore[misc]
        end = f"Event: StatusComplete\n{tag}EventList: Complete\nListItems: 0\n\n"
        clockwork.at(at + 0.0001, lambda: self._done(session, action, "".join(parts) + end))

    def _status_of_one(self, action: Headers, tag: str) -> str:
        channel = self.asterisk.channels.get(action["Channel"])
        if channel is None:
            return f"Response: Error\n{tag}Message: No such channel\n\n"
        return (
            f"Response: Success\n{tag}EventList: start\nMessage: Channel status will follow\n\n"
            + self._shown(channel, action, tag)
            + f"Event: StatusComplete\n{tag}EventList: Complete\nListItems: 1\n\n"
        )

    def _shown(self, channel: Channel, action: Headers, tag: str) -> str:
        variables = "".join(
            f"Variable: {name}={channel.variables.get(name) or '(null)'}\n" for name in action["Variables"].split(",")
        )
        return (
            f"Event: Status\nPrivilege: Call\nChannel: {channel.name}\nChannelState: {6 if channel.up else 5}\n"
            f"CallerIDNum: {channel.number}\nCallerIDName: {channel.shown}\nLanguage: en\nUniqueid: {channel.uniqueid}\n"
            f"BridgeID: {channel.bridge}\n{variables}{tag}\n"
        )

    def _set(self, action: Headers, tag: str) -> str:
        done, variable, value = (
            f"Response: Success\n{tag}Message: Variable Set\n\n",
            action["Variable"],
            action["Value"],
        )
        if "Channel" not in action:
            if variable.startswith("QUEUE_MEMBER("):
                queue, _, member = variable.removeprefix("QUEUE_MEMBER(").removesuffix(")").split(",")
                if (queue, member) not in self.asterisk.queue_members:
                    return f"Response: Error\n{tag}Message: Set failed\n\n"
                self.asterisk.queue_members[queue, member] = value == "1"
                return done
            if variable.startswith("DB("):  # live_dangerously is off
                return f"Response: Error\n{tag}Message: Variable not set\n\n"
            self.asterisk.globals[variable] = value
            if variable == n.EPOCH:
                self.epochs.append(int(value))
            return done
        channel = self.asterisk.channels.get(action["Channel"])
        if channel is None:
            return f"Response: Error\n{tag}Message: No such channel\n\n"
        several = variable.startswith("ARRAY(")
        names = variable.removeprefix("ARRAY(").removesuffix(")").split(",") if several else [variable]
        values = value.split(",") if several else [value]
        channel.variables.update(zip(names, values, strict=True))
        return done

    def _get(self, action: Headers, tag: str) -> str:
        queue = action["Variable"].removeprefix("QUEUE_EXISTS(").removesuffix(")")
        there = any(one == queue for one, _ in self.asterisk.queue_members)
        return f"Response: Success\n{tag}Variable: {action['Variable']}\nValue: {int(there)}\n\n"

    def _redirect(self, action: Headers, tag: str) -> str:
        channel = self.asterisk.channels.get(action["Channel"])
        if channel is None:
            return f"Response: Error\n{tag}Message: Channel does not exist: {action['Channel']}\n\n"
        self.asterisk.redirect(channel, action["Context"], action["Exten"])
        return f"Response: Success\n{tag}Message: Redirect successful\n\n"

    def _hang_up(self, action: Headers, tag: str) -> str:
        channel = self.asterisk.channels.get(action["Channel"])
        if channel is None:
            return f"Response: Error\n{tag}Message: No such channel\n\n"
        self.asterisk.hang_up(channel, int(action.get("Cause", NORMAL)), asked=False)
        return f"Response: Success\n{tag}Message: Channel Hungup\n\n"

    def _withdraw(self, action: Headers, tag: str) -> str:
        channel = self.asterisk.channels.get(action["Caller"])
        if channel is None or not self.asterisk.withdraw(channel):
            return f"Response: Error\n{tag}Message: Caller is not in the queue\n\n"
        return f"Response: Success\n{tag}Message: Caller withdrawn\n\n"

    def _notes(self, _action: Headers, tag: str) -> str:
        items = "".join(
            f"Event: DBGetTreeResponse\n{tag}Key: /{n.NOTES}/{call}\nVal: {value}\n\n"
            for call, value in self.asterisk.notes.items()
        )
        start = f"Response: Success\n{tag}EventList: start\nMessage: Result will follow\n\n"
        return start + items + f"Event: DBGetTreeComplete\n{tag}EventList: Complete\nListItems: 0\n\n"

    def _originate(self, action: Headers, tag: str) -> str:
        """Only of what forgets notes."""
        for call in action["Variable"].removeprefix(f"{n.FORGET}=").split("&"):
            self.asterisk.notes.pop(call, None)
        return f"Response: Success\n{tag}Message: Originate successfully queued\n\n"
