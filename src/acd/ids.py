"""The identifiers of the domain: strings that a type checker can tell apart.

Every identifier of something that lives on a PBX names that PBX, so that a second Asterisk needs no new design:

* ``CallId``   ``<pbx>-<ms of entry>.<serial>``: made by the dialplan (variable ``ACD_CALL``), unique through restarts.
* ``LegId``    Asterisk's Uniqueid, which starts with the PBX's name because ``systemname`` is set.
* ``DeviceId`` ``<pbx>/<dial string>``, for example ``pbx1/PJSIP/agent-101``.

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
