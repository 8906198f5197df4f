"""One channel as Status shows it, read as strictly as an event."""

import pytest

from ami.events import Quarantined, Reason
from ami.readings import ChannelReading, read_channel
from tests.support.fake_ami import FakeChannel


def status(raw_name: bytes = "مریم رضایی".encode(), **changed: object) -> bytes:
    channel = FakeChannel(
        "PJSIP/trunk-00000007", "pbx1-1.7", "09121234567", variables={"ACD_QUEUE": "sales"}, raw_name=raw_name
    )
    for name, value in changed.items():
        setattr(channel, name, value)
    return channel.status("a/1", ["ACD_QUEUE", "ACD_OFFER"])[:-4]


def test_a_channel_is_read() -> None:
    expected = ChannelReading(
        "PJSIP/trunk-00000007",
        "pbx1-1.7",
        True,
        None,
        "09121234567",
        "مریم رضایی",
        {"ACD_QUEUE": "sales"},
        context="acd-wait",
    )
    assert read_channel(status()) == expected


@pytest.mark.parametrize("withheld", ["<unknown>", ""])
def test_a_number_that_asterisk_does_not_know_is_withheld(withheld: str) -> None:
    found = read_channel(status(number=withheld))
    assert isinstance(found, ChannelReading)
    assert found.number is None


def test_a_variable_that_is_not_set_is_left_out() -> None:
    found = read_channel(status())
    assert isinstance(found, ChannelReading)
    assert "ACD_OFFER" not in found.variables


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"x\r\nUniqueid: pbx1-1.9", Reason.MISSING_HEADER),
        (b"x\r\nBridgeID: b\r\nBridgeID: c", Reason.DOUBLED_HEADER),
        (b"x\r\nVariable: ACD_QUEUE=vip", Reason.DOUBLED_HEADER),
        (b"x\r\nCallerIDName: y", Reason.DOUBLED_HEADER),
        (b"a\nb", Reason.CONTROL_CHARACTER),
        (b"a\0b", Reason.CONTROL_CHARACTER),
    ],
)
def test_a_hostile_name_shapes_nothing(name: bytes, reason: Reason) -> None:
    found = read_channel(status(name))
    assert isinstance(found, Quarantined)
    assert found.reason is reason


def test_numbers_and_names_stay_out_of_logs() -> None:
    assert "0912" not in repr(read_channel(status()))
    assert "مریم" not in repr(read_channel(status()))
