"""Devices as ``Dial`` is told of them.

A phone that accepts by a key is a Local channel (``Local/<number>:<endpoint>@acd-mobile``), and ``/n`` keeps Asterisk from taking
it out of the call, where it must be found again by its name. No device of the domain has ``/n``.
"""

from acd.ids import DeviceId, PbxId, accepts_by_key, device_on, split_device

_AS_IT_IS = "/n"


def target_of(device: DeviceId) -> str:
    """What ``Dial`` is given for a device."""
    return split_device(device)[1] + (_AS_IT_IS if accepts_by_key(device) else "")


def device_of(pbx: PbxId, channel: str) -> DeviceId:
    """``PJSIP/agent-101-0000001a`` is a leg of the device ``PJSIP/agent-101``."""
    return device_on(pbx, channel.rpartition("-")[0])


def device_at(pbx: PbxId, target: str) -> DeviceId:
    """The device for which ``Dial`` was given ``target``."""
    return device_on(pbx, target.removesuffix(_AS_IT_IS))


NO_PHONES = ("Local/", "Queue/", "Queue:")
"""Devices that Asterisk tells the state of and that nobody is reached at."""
