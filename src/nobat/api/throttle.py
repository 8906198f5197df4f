"""How much one token may ask, and how often one address may show tokens that are none.

A bucket fills up with time and each request takes something out of it; an empty one is 429 with the seconds to wait. Buckets are
kept for the keys that were used last, so no number of addresses makes them grow. A token that is known goes past the address's
bucket: whoever shares an address with somebody who guesses is not shut out. Asked by ``nobat.api.edge`` and, for the metrics'
own token, by ``nobat.api.health``.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from starlette.types import Scope

log = structlog.get_logger(__name__)

MOST_KEYS = 10_000
LOGGED_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Rate:
    """``a_second`` on and on, ``burst`` at once."""

    a_second: float
    burst: int


@dataclass(slots=True)
class Buckets:
    """One bucket for each key, told as the moment at which it will be full again (GCRA)."""

    rate: Rate
    most: int = MOST_KEYS
    _full_at: "OrderedDict[str, float]" = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._full_at)

    def empty_s(self, key: str, now: float) -> float:
        """Seconds until something is in the bucket; 0 if there is."""
        full_at = self._full_at.get(key, now)
        return max(0.0, full_at - now - (self.rate.burst - 1) / self.rate.a_second)

    def take(self, key: str, now: float) -> float:
        """Take one out; the seconds to wait if there is none, and then nothing is taken."""
        wait_s = self.empty_s(key, now)
        if wait_s > 0.0:
            return wait_s
        self._full_at[key] = max(now, self._full_at.get(key, now)) + 1.0 / self.rate.a_second
        self._full_at.move_to_end(key)
        while len(self._full_at) > self.most:
            self._full_at.popitem(last=False)
        return 0.0


class Throttle:
    """``refused`` counts refusals by kind: requests, wrong_tokens."""

    def __init__(
        self, requests: Rate, wrong_tokens: Rate, now: Callable[[], float], refused: Callable[[str], None]
    ) -> None:
        self._requests, self._wrong = Buckets(requests), Buckets(wrong_tokens)
        self._now, self._refused = now, refused
        self._logged_at = -LOGGED_EVERY_S

    def asked(self, token: str) -> float:
        """A request with a valid token; seconds to wait if that was too many."""
        return self._counted("requests", self._requests.take(token, self._now()))

    def shut(self, address: str) -> float:
        """Seconds for which tokens that nobody knows are not even looked at from there."""
        return self._counted("wrong_tokens", self._wrong.empty_s(address, self._now()))

    def wrong(self, address: str) -> None:
        """Somebody there showed a token that is none."""
        now = self._now()
        self._wrong.take(address, now)
        if self._wrong.empty_s(address, now) and now - self._logged_at >= LOGGED_EVERY_S:
            self._logged_at = now
            log.warning("too many wrong tokens from an address: others from there are not looked at", address=address)

    def _counted(self, kind: str, wait_s: float) -> float:
        if wait_s > 0.0:
            self._refused(kind)
        return wait_s


def address_of(scope: Scope) -> str:
    """Who asks: an address, of version 6 the network of 64 bits that one customer has."""
    host = (scope.get("client") or ("",))[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return str(host)
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
