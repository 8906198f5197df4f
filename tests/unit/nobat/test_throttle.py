"""Buckets: so many at once, so many on and on, and never more of them than there is room for."""

import pytest

from nobat.api import feed
from nobat.api.throttle import Buckets, Rate, Throttle, address_of
from nobat.auth import REMEMBERED_S
from nobat.feed import BEAT_S
from nobat.supervision_rights import LOOK_S


def test_a_burst_then_the_rate() -> None:
    buckets = Buckets(Rate(2.0, 5))
    assert [buckets.take("a", 100.0) for _ in range(5)] == [0.0] * 5
    assert buckets.take("a", 100.0) == pytest.approx(0.5)
    assert buckets.take("b", 100.0) == 0.0
    assert buckets.empty_s("a", 100.4) == pytest.approx(0.1)
    assert buckets.take("a", 100.5) == 0.0
    assert buckets.take("a", 100.5) > 0.0
    passed = sum(buckets.take("a", 101.0 + n / 100) == 0.0 for n in range(1_000))
    assert 20 <= passed <= 22
    assert [buckets.take("a", 1_000.0) for _ in range(6)] == [0.0] * 5 + [pytest.approx(0.5)]


def test_a_clock_that_goes_back_shuts_nobody_out() -> None:
    buckets = Buckets(Rate(1.0, 2))
    assert [buckets.take("a", 100.0), buckets.take("a", 100.0)] == [0.0, 0.0]
    assert buckets.take("a", 99.0) <= 2.0


def test_a_million_addresses_take_no_more_room_than_ten_thousand() -> None:
    buckets = Buckets(Rate(1.0, 1))
    for number in range(30_000):
        buckets.take(str(number), 1.0)
    assert len(buckets) == 10_000
    assert buckets.empty_s("29999", 1.0) > 0.0
    assert buckets.empty_s("0", 1.0) == 0.0


def test_refusals_are_counted_and_said_once() -> None:
    refused: list[str] = []
    throttle = Throttle(Rate(1.0, 1), Rate(1.0, 2), lambda: 50.0, refused.append)
    assert throttle.asked("t") == 0.0
    assert throttle.asked("t") > 0.0
    assert throttle.shut("10.0.0.1") == 0.0
    for _ in range(3):
        throttle.wrong("10.0.0.1")
    assert throttle.shut("10.0.0.1") > 0.0
    assert throttle.shut("10.0.0.2") == 0.0
    assert refused == ["requests", "wrong_tokens"]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_of_version_6_is_its_network(host: str, address: str) -> None:
    assert address_of({"type": "http", "client": (host, 1)}) == address
    assert address_of({"type": "http", "client": None}) == ""


def test_a_revoked_token_is_dead_within_five_seconds_everywhere() -> None:
    """Just remembered when it is revoked, just looked at by a stream, and then silence: the longest that it can take."""
    assert REMEMBERED_S < 5
    assert REMEMBERED_S + feed.RECHECK_S + BEAT_S < 5
    assert LOOK_S < 5
