"""SIP that no well-behaved phone sends: what a parser must refuse, survive or pass over, in the spirit of RFC 4475.

The messages are our own. Each is a name, and a template in which ``{me}`` is the sender's address, ``{pbx}`` the PBX's, and
``{n}`` differs from one message to the next. None asks for a number that exists, so whoever sends them from the trunk's address
enters no line.
"""

import re
import secrets
from collections.abc import Iterator

_HEAD = (
    "Via: SIP/2.0/UDP {me};branch=z9hG4bK{n};rport\r\nMax-Forwards: 70\r\nFrom: <sip:x@{me}>;tag=a{n}\r\n"
    "To: <sip:9@{pbx}>\r\nCall-ID: {n}@torture\r\nCSeq: 1 INVITE\r\nContact: <sip:x@{me}>\r\n"
)
_VOICE = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"


def _invite(head: str = _HEAD, body: str = _VOICE, length: str | None = None, kind: str = "application/sdp") -> str:
    said = length if length is not None else str(len(body))
    return f"INVITE sip:9@{{pbx}} SIP/2.0\r\n{head}Content-Type: {kind}\r\nContent-Length: {said}\r\n\r\n{body}"


def _with(old: str, new: str) -> str:
    assert old in _HEAD, old
    return _invite(_HEAD.replace(old, new))


def _voice(old: str, new: str) -> str:
    assert old in _VOICE, old
    return _invite(body=_VOICE.replace(old, new))


LONG = "x" * 3_000

TEMPLATES: dict[str, str | bytes] = {
    # the first line
    "nothing at all": "",
    "line ends alone": "\r\n\r\n\r\n",
    "no SIP": "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes of no kind": bytes(range(256)) * 4,
    "zeros": b"\x00" * 600,
    "a method without an end": "I" * 3_000,
    "another version": _invite().replace("SIP/2.0\r\n", "SIP/7.0\r\n", 1),
    "no version": _invite().replace(" SIP/2.0\r\n", "\r\n", 1),
    "an address that is none": _invite().replace("sip:9@{pbx}", "sip:", 1),
    "an address of another scheme": _invite().replace("sip:9@{pbx}", "nobodyKnowsThis:9;a=b", 1),
    "headers within the address": _invite().replace("sip:9@{pbx}", "sip:9@{pbx}?Route=%3csip:x%3e&Replaces=%00", 1),
    "percent and nothing": _invite().replace("sip:9@{pbx}", "sip:%@{pbx}", 1),
    "a zero in the address": _invite().replace("sip:9@{pbx}", "sip:9%00%0d%0a@{pbx}", 1),
    "spaces before the version": _invite().replace(" SIP/2.0\r\n", "      SIP/2.0\r\n", 1),
    "an answer to nothing": "SIP/2.0 200 OK\r\n" + _HEAD + "Content-Length: 0\r\n\r\n",
    "an answer of no number": "SIP/2.0 4294967301 Better\r\n" + _HEAD + "Content-Length: 0\r\n\r\n",
    "an answer below zero": "SIP/2.0 -1 Worse\r\n" + _HEAD + "Content-Length: 0\r\n\r\n",
    # headers
    "no header": "INVITE sip:9@{pbx} SIP/2.0\r\n\r\n",
    "no Via": _with("Via: SIP/2.0/UDP {me};branch=z9hG4bK{n};rport\r\n", ""),
    "no From": _with("From: <sip:x@{me}>;tag=a{n}\r\n", ""),
    "no Call-ID": _with("Call-ID: {n}@torture\r\n", ""),
    "an empty Call-ID": _with("Call-ID: {n}@torture", "Call-ID:"),
    "no CSeq": _with("CSeq: 1 INVITE\r\n", ""),
    "a CSeq of another method": _with("CSeq: 1 INVITE", "CSeq: 1 BYE"),
    "a CSeq beyond 32 bits": _with("CSeq: 1 INVITE", "CSeq: 36893488147419103232 INVITE"),
    "a CSeq below zero": _with("CSeq: 1 INVITE", "CSeq: -1 INVITE"),
    "two From": _with("To: ", "From: <sip:y@{me}>;tag=b{n}\r\nTo: "),
    "two Call-ID": _with("CSeq: ", "Call-ID: other{n}\r\nCSeq: "),
    "Max-Forwards beyond reason": _with("Max-Forwards: 70", "Max-Forwards: 99999999999999999999"),
    "Max-Forwards of none": _with("Max-Forwards: 70", "Max-Forwards: 0"),
    "a name that has no end": _with("From: <sip:x@{me}>", 'From: "x <sip:x@{me}>'),
    "an address that has no end": _with("From: <sip:x@{me}>", "From: <sip:x@{me}"),
    "zeros in a name": _with("From: <", 'From: "\x00\x01\x02" <'),
    "a name of odd bytes": _with("From: <", 'From: "\xc0\xaf\xed\xa0\x80" <'),
    "a very long name": _with("From: <", f'From: "{LONG}" <'),
    "a very long tag": _with("tag=a{n}", f"tag={LONG}"),
    "a very long branch": _with("branch=z9hG4bK{n}", f"branch=z9hG4bK{LONG}"),
    "four hundred parameters": _with("tag=a{n}", "tag=a{n}" + ";p=1" * 400),
    "two hundred Via": _with("Max-Forwards", "Via: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bKq\r\n" * 200 + "Max-Forwards"),
    "a Via of an unknown transport": _with("SIP/2.0/UDP", "SIP/2.0/PIGEON"),
    "a Via of port 0": _with("Via: SIP/2.0/UDP {me}", "Via: SIP/2.0/UDP 127.0.0.1:0"),
    "a Via of port 70000": _with("Via: SIP/2.0/UDP {me}", "Via: SIP/2.0/UDP 127.0.0.1:70000"),
    "a Contact of a star": _with("Contact: <sip:x@{me}>", "Contact: *"),
    "a Contact with a broken literal": _with("Contact: <sip:x@{me}>", "Contact: <sip:x@[::1>"),
    "folded lines": _with("To: <", "To:\r\n \r\n\t <"),
    "line ends of one character": _invite().replace("\r\n", "\n"),
    "a header without a colon": _with("To: ", "ThisIsNoHeader\r\nTo: "),
    "a header without a name": _with("To: ", ": value\r\nTo: "),
    "an unknown extension is required": _with("Contact: ", "Require: nobody, knows, these\r\nContact: "),
    "Replaces of nothing": _with("Contact: ", "Replaces: none;to-tag=1;from-tag=2\r\nContact: "),
    "an identity with a line within": _with("Contact: ", "P-Asserted-Identity: <sip:9%0d%0aX@{me}>\r\nContact: "),
    "a digest of nothing": _with("Contact: ", "Authorization: Digest\r\nContact: "),
    "a digest without a value": _with("Contact: ", 'Authorization: Digest username=,realm=",nonce\r\nContact: '),
    "a thousand short headers": _with("Contact: ", "X: y\r\n" * 1_000 + "Contact: "),
    "session timers of nothing": _with("Contact: ", "Session-Expires: 0;refresher=none\r\nMin-SE: 4294967296\r\nContact: "),
    # the length, and the body
    "longer than it says": _invite(length="5"),
    "shorter than it says": _invite(length="9999"),
    "a length below zero": _invite(length="-1"),
    "a length beyond 64 bits": _invite(length="99999999999999999999999"),
    "a length of letters": _invite(length="many"),
    "a body of another kind": _invite(kind="application/none", body="x" * 100),
    "parts that never end": _invite(kind="multipart/mixed;boundary=z", body="--z\r\nContent-Type: x/y\r\n\r\n" + _VOICE),
    "no voice": _invite(body="v=0\r\n"),
    "voice without a port": _voice("m=audio 40000 RTP/AVP 8", "m=audio"),
    "voice at port 70000": _voice("m=audio 40000", "m=audio 70000"),
    "voice below zero": _voice("m=audio 40000", "m=audio -1"),
    "voice of no family": _voice("IN IP4 127.0.0.1\r\nt", "IN IP9 nowhere\r\nt"),
    "voice at everybody's address": _voice("c=IN IP4 127.0.0.1", "c=IN IP4 255.255.255.255"),
    "a hundred voices": _invite(body=_VOICE + "m=audio 40000 RTP/AVP 8\r\n" * 100),
    "a codec without end": _invite(body=_VOICE + "a=rtpmap:8 " + LONG + "/8000\r\n"),
    "a codec of no rate": _invite(body=_VOICE + "a=rtpmap:8 PCMA/0\r\na=ptime:0\r\na=fmtp:8\r\n"),
    "keys that are none": _invite(body=_VOICE + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:!!!\r\n"),
    "candidates that are none": _invite(body=_VOICE + "a=ice-ufrag:x\r\na=ice-pwd:\r\na=candidate:1 1 UDP -1 :: 0 typ\r\n"),
    # other methods
    "an ACK of nothing": _HEAD.join(("ACK sip:9@{pbx} SIP/2.0\r\n", "\r\n")).replace("1 INVITE", "1 ACK"),
    "a BYE of nothing": _HEAD.join(("BYE sip:9@{pbx} SIP/2.0\r\n", "\r\n")).replace("1 INVITE", "1 BYE"),
    "a CANCEL of nothing": _HEAD.join(("CANCEL sip:9@{pbx} SIP/2.0\r\n", "\r\n")).replace("1 INVITE", "1 CANCEL"),
    "a REFER to itself": _HEAD.join(("REFER sip:9@{pbx} SIP/2.0\r\n", "Refer-To: <sip:9@{pbx}?Replaces=%00>\r\n\r\n"))
    .replace("1 INVITE", "1 REFER"),
    "a method that nobody knows": _HEAD.join(("!%*_+`'~ sip:9@{pbx} SIP/2.0\r\n", "\r\n")).replace("1 INVITE", "1 !%*_+`'~"),
    "a REGISTER for ever": _HEAD.join(("REGISTER sip:{pbx} SIP/2.0\r\n", "Expires: 99999999999\r\n\r\n"))
    .replace("1 INVITE", "1 REGISTER"),
    "a SUBSCRIBE to anything": _HEAD.join(("SUBSCRIBE sip:9@{pbx} SIP/2.0\r\n", "Event: \r\nAccept: ,,,\r\n\r\n"))
    .replace("1 INVITE", "1 SUBSCRIBE"),
}  # fmt: skip


def messages(me: str, pbx: str) -> Iterator[tuple[str, bytes]]:
    """Each message by its name, ready to be sent from ``me``."""
    for name, template in TEMPLATES.items():
        yield name, template if isinstance(template, bytes) else _filled(template, me, pbx)


def flood(me: str, pbx: str, count: int) -> Iterator[bytes]:
    """So many calls that are well formed."""
    return (_filled(_invite(), me, pbx) for _ in range(count))


def _filled(template: str, me: str, pbx: str) -> bytes:
    given = {"me": me, "pbx": pbx, "n": secrets.token_hex(6)}
    return re.sub(r"\{(me|pbx|n)\}", lambda found: given[found[1]], template).encode("latin-1")
