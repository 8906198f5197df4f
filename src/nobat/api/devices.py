"""Devices as people name them: a dial string, and whether whoever picks up has to press a key."""

from typing import Annotated

from pydantic import Field

from acd.ids import DeviceId, PbxId, accepting, device_on, reached_by

Accept = Annotated[
    bool | None,
    Field(
        description="Whoever picks up has to press 1 before he is given the caller, so no voicemail ever is. Unless said "
        "otherwise, so it is at a number through a trunk, where it cannot be left out, and not at a phone of the PBX."
    ),
]


def check(device: str | None, accept: bool | None) -> None:
    """Raises ``ValueError`` for a number through a trunk without a key: nobody could tell who picks up there."""
    if device is not None and "@" in device and accept is False:
        raise ValueError("a number through a trunk needs accept")


def named(pbx: PbxId, device: str, accept: bool | None) -> DeviceId:
    """The device that is meant."""
    by_key = accept if accept is not None else "@" in device
    return device_on(pbx, accepting(device) if by_key else device)


def is_a_number(device: DeviceId) -> bool:
    """Whether it is reached through a trunk."""
    return "@" in reached_by(device)[1]


def shown(device: DeviceId | None) -> str | None:
    """Its dial string."""
    return reached_by(device)[1] if device is not None else None
