"""The identifiers of the domain: strings that a type checker can tell apart.

Every identifier of something that lives on a PBX names that PBX, so that a second Asterisk needs no new design:

* ``CallId``   ``<pbx>-<ms of entry>.<serial>``: made by the dialplan (variable ``ACD_CALL``), unique through restarts.
* ``CallbackId`` ``<pbx>-…``: of a promise the call's id, the time and ``.cb``. ``AttemptId``: the callback's id and a count.
* ``LegId``    Asterisk's Uniqueid, which starts with the PBX's name because ``systemname`` is set.
* ``SupervisionId`` ``<pbx>-<ms>.s<serial>``: also the ``LegId`` of the supervisor's leg, which is rung under this name.
* ``DeviceId`` ``<pbx>/<dial string>``, for example ``pbx1/PJSIP/agent-101``. A phone at which the agent accepts a call by a key
  (a mobile, reached through a trunk) is another device than the bare one: ``pbx1/Local/09121234567:trunk@acd-mobile``.

Ids of agents, queues and offers belong to Nobat alone.
"""

from typing import NewType

PbxId = NewType("PbxId", str)
CallId = NewType("CallId", str)
LegId = NewType("LegId", str)
DeviceId = NewType("DeviceId", str)
AgentId = NewType("AgentId", str)
QueueId = NewType("QueueId", str)
OfferId = NewType("OfferId", str)
SupervisionId = NewType("SupervisionId", str)
CallbackId = NewType("CallbackId", str)
AttemptId = NewType("AttemptId", str)


def pbx_of(identifier: CallId | LegId) -> PbxId:
    """The PBX on which a call or a leg lives; the part before the last hyphen."""
    return PbxId(identifier.rpartition("-")[0])


def device_on(pbx: PbxId, dial_string: str) -> DeviceId:
    """The device that ``dial_string`` (``PJSIP/agent-101``) reaches on ``pbx``."""
    return DeviceId(f"{pbx}/{dial_string}")


def split_device(device: DeviceId) -> tuple[PbxId, str]:
    """A device's PBX and the dial string by which that PBX knows it."""
    pbx, _, dial_string = device.partition("/")
    return PbxId(pbx), dial_string


_ACCEPTING = "Local/"
_ACCEPT_AT = "@acd-mobile"


def accepting(dial_string: str) -> str:
    """The dial string by which the phone at ``dial_string`` (``PJSIP/09121234567@trunk``) is rung and asked to press a key."""
    number, _, endpoint = dial_string.partition("/")[2].partition("@")
    return f"{_ACCEPTING}{number}:{endpoint}{_ACCEPT_AT}" if endpoint else f"{_ACCEPTING}{number}{_ACCEPT_AT}"


def accepts_by_key(device: DeviceId) -> bool:
    """Whether whoever picks up there has to press a key. The PBX knows no state of such a phone."""
    return split_device(device)[1].startswith(_ACCEPTING)


def reached_by(device: DeviceId) -> tuple[PbxId, str, bool]:
    """A device as people name it: its PBX, the dial string of the phone itself, and whether it accepts by a key."""
    pbx, dial_string = split_device(device)
    if not dial_string.startswith(_ACCEPTING):
        return pbx, dial_string, False
    number, _, endpoint = dial_string.removeprefix(_ACCEPTING).removesuffix(_ACCEPT_AT).partition(":")
    return pbx, f"PJSIP/{number}@{endpoint}" if endpoint else f"PJSIP/{number}", True
