"""SIP written by hand, for what a well-behaved Asterisk would never send: hostile identities, odd answers, silent phones.

``RawSip.open`` -> ``invite`` (a caller, with any bytes in its From) or ``register`` (a phone that answers each INVITE with
one status) -> ``close``. No audio: the PBX's rtp_timeout ends such a call after some seconds.
"""

import asyncio
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import cast

_SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)


@dataclass(slots=True)
class RawCall:
    """An INVITE of ours: the final status, and what is needed to end the call."""

    target: str
    from_header: bytes
    call_id: str
    answered: asyncio.Future[int]
    to_header: bytes = b""
    branch: str = ""


class RawSip(asyncio.DatagramProtocol):
    """One UDP socket that speaks just enough SIP."""

    def __init__(self, pbx: tuple[str, int]) -> None:
        self._pbx = pbx
        self._calls: dict[str, RawCall] = {}
        self._replies: dict[str, asyncio.Future[bytes]] = {}
        self.answer_with = 603
        self.invites = 0
        self._transport: asyncio.DatagramTransport

    @classmethod
    async def open(cls, pbx: str, address: str = "127.0.0.1") -> "RawSip":
        """``address``: where it lives; the trunk is 127.0.0.1, and anything else on loopback is a stranger."""
        host, _, port = pbx.rpartition(":")
        loop = asyncio.get_running_loop()
        _, raw = await loop.create_datagram_endpoint(lambda: cls((host, int(port))), local_addr=(address, 0))
        return raw

    def close(self) -> None:
        self._transport.close()

    # ------------------------------------------------ a caller

    async def invite(self, number: str, from_header: bytes, extra: bytes = b"", within_s: float = 5) -> RawCall:
        """Dial ``number``; ``from_header`` is the From's value up to, not including, its tag. Waits for the final answer."""
        call = RawCall(
            f"sip:{number}@{self._pbx[0]}:{self._pbx[1]}",
            from_header + b";tag=" + secrets.token_hex(4).encode(),
            secrets.token_hex(8),
            asyncio.get_running_loop().create_future(),
            branch=_branch(),
        )
        call.to_header = f"<{call.target}>".encode()
        self._calls[call.call_id] = call
        self._send(self._request("INVITE", call, 1, extra + b"Content-Type: application/sdp\r\n", _SDP))
        await asyncio.wait_for(asyncio.shield(call.answered), within_s)
        return call

    def bye(self, call: RawCall) -> None:
        """Hang up an answered call."""
        call.branch = _branch()
        self._send(self._request("BYE", call, 2))

    def _request(self, method: str, call: RawCall, number: int, extra: bytes = b"", body: bytes = b"") -> bytes:
        head = (
            f"{method} {call.target} SIP/2.0\r\nVia: SIP/2.0/UDP {self._here};branch={call.branch};rport\r\n"
            f"Max-Forwards: 70\r\nCall-ID: {call.call_id}\r\nCSeq: {number} {method}\r\nContact: <sip:raw@{self._here}>\r\n"
        ).encode()
        parties = b"From: " + call.from_header + b"\r\nTo: " + call.to_header + b"\r\n"
        return head + parties + extra + f"Content-Length: {len(body)}\r\n\r\n".encode() + body

    # ------------------------------------------------ a phone

    async def register(self, user: str, password: str) -> None:
        """Become the phone ``user``: it answers each INVITE with ``answer_with``."""
        first = await self._register_once(user, b"", 1)
        challenge = _header(first, "WWW-Authenticate")
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))
        done = await self._register_once(user, self._authorization(user, password, given), 2)
        if _status(done) != 200:
            raise AssertionError(f"REGISTER of {user} was answered {_status(done)}")

    async def register_for(self, aor: str, from_user: str) -> int:
        """Try to take the place of ``aor`` without a password, as ``from_user``; the answer's status."""
        return _status(await self._register_once(aor, b"", 1, from_user))

    async def ask(self, method: str, user: str, from_user: str, call_id: str | None = None) -> int:
        """One request outside of any dialogue, such as OPTIONS; the answer's status."""
        call_id, address = call_id or secrets.token_hex(8), f"{self._pbx[0]}:{self._pbx[1]}"
        self._replies[call_id] = asyncio.get_running_loop().create_future()
        event = "Event: dialog\r\n" if method == "SUBSCRIBE" else ""
        self._send(
            (
                f"{method} sip:{user}@{address} SIP/2.0\r\nVia: SIP/2.0/UDP {self._here};branch={_branch()};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{from_user}@{address}>;tag=1\r\nTo: <sip:{user}@{address}>\r\n"
                f"Call-ID: {call_id}\r\nCSeq: 1 {method}\r\nContact: <sip:x@{self._here}>\r\n{event}Content-Length: 0\r\n\r\n"
            ).encode()
        )
        return _status(await asyncio.wait_for(self._replies[call_id], 5))

    async def challenge(self, user: str) -> dict[str, str]:
        """What a REGISTER without a password is asked."""
        first = await self._register_once(user, b"", 1)
        return dict(re.findall(r'(\w+)="?([^",]*)"?', _header(first, "WWW-Authenticate")))

    async def answer(self, user: str, given: dict[str, str], response: str) -> int:
        """A REGISTER with any text for a digest; the answer's status."""
        proper = self._authorization(user, "x", given).decode()
        forged = re.sub(r'response="[0-9a-f]+"', lambda _: f"response={response}", proper)
        return _status(await self._register_once(user, forged.encode(), 2))

    async def _register_once(self, user: str, extra: bytes, number: int, from_user: str | None = None) -> bytes:
        call_id = f"{user}-{number}-{secrets.token_hex(4)}"
        address = f"{self._pbx[0]}:{self._pbx[1]}"
        self._replies[call_id] = asyncio.get_running_loop().create_future()
        self._send(
            (
                f"REGISTER sip:{address} SIP/2.0\r\nVia: SIP/2.0/UDP {self._here};branch={_branch()};rport\r\nMax-Forwards: 70\r\n"
                f"From: <sip:{from_user or user}@{address}>;tag=1\r\nTo: <sip:{user}@{address}>\r\nCall-ID: {call_id}\r\n"
                f"CSeq: {number} REGISTER\r\nContact: <sip:{user}@{self._here}>\r\nExpires: 120\r\n"
            ).encode()
            + extra
            + b"Content-Length: 0\r\n\r\n"
        )
        return await asyncio.wait_for(self._replies[call_id], 5)

    def _authorization(self, user: str, password: str, given: dict[str, str]) -> bytes:
        uri = f"sip:{self._pbx[0]}:{self._pbx[1]}"
        ours = _md5(f"{user}:{given['realm']}:{password}")
        answer = _md5(f"{ours}:{given['nonce']}:00000001:c0:auth:{_md5(f'REGISTER:{uri}')}")
        return (
            f'Authorization: Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{uri}", '
            f'response="{answer}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c0", opaque="{given.get("opaque", "")}"\r\n'
        ).encode()

    # ------------------------------------------------ the wire

    @property
    def _here(self) -> str:
        host, port = self._transport.get_extra_info("sockname")
        return f"{host}:{port}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def _send(self, data: bytes) -> None:
        self._transport.sendto(data, self._pbx)

    def datagram_received(self, data: bytes, _address: object) -> None:
        call_id = _header(data, "Call-ID")
        if not data.startswith(b"SIP/2.0"):
            self._hear_request(data)
        elif call_id in self._replies and _status(data) >= 200 and not self._replies[call_id].done():
            self._replies[call_id].set_result(data)
        elif call_id in self._calls and _header(data, "CSeq").endswith("INVITE") and _status(data) >= 200:
            self._hear_answer(self._calls[call_id], data)

    def _hear_answer(self, call: RawCall, data: bytes) -> None:
        call.to_header = _header(data, "To").encode("latin-1")
        if _status(data) == 200:
            call.branch = _branch()
        self._send(self._request("ACK", call, 1))
        if not call.answered.done():
            call.answered.set_result(_status(data))

    def _hear_request(self, data: bytes) -> None:
        method = data.partition(b" ")[0]
        if method == b"INVITE":
            self.invites += 1
            self._send(_answer(data, self.answer_with, _SDP if self.answer_with == 200 else b"", self._here))
        elif method != b"ACK":
            self._send(_answer(data, 200, b"", self._here))


def _answer(request: bytes, status: int, body: bytes, here: str) -> bytes:
    """The request's own Via, From, To, Call-ID and CSeq come back."""
    kept = [
        line for line in request.split(b"\r\n\r\n")[0].split(b"\r\n") if re.match(rb"(Via|From|To|Call-ID|CSeq):", line)
    ]
    lines = [line + b";tag=raw" if line.startswith(b"To:") and b"tag=" not in line else line for line in kept]
    tail = f"\r\nContact: <sip:raw@{here}>\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n"
    return f"SIP/2.0 {status} By hand\r\n".encode() + b"\r\n".join(lines) + tail.encode() + body


def _status(data: bytes) -> int:
    return int(data.split(b" ", 2)[1])


def _header(data: bytes, name: str) -> str:
    found = re.search(rf"^{name}: *(.*?)\r$".encode(), data, re.MULTILINE | re.IGNORECASE)
    return found[1].decode("latin-1") if found else ""


def _branch() -> str:
    return "z9hG4bK" + secrets.token_hex(6)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
