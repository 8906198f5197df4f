"""A phone that speaks SIP over TLS, by hand: registers, and calls with whatever it offers for the voice."""

import asyncio
import hashlib
import re
import secrets
import ssl
from pathlib import Path

VOICE = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40002 {} 8\r\na=rtpmap:8 PCMA/8000\r\n"
PLAIN = VOICE.format("RTP/AVP")
KEYED = (
    VOICE.format("RTP/SAVP")
    + f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'}\r\n"
)


def trusting(certificate: Path, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """Whoever shows this certificate is believed, and nobody else."""
    context = ssl.create_default_context(cafile=str(certificate))
    context.maximum_version = newest
    return context


class TlsPhone:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._reader, self._writer, self._port = reader, writer, port
        self.cipher: str = writer.get_extra_info("cipher")[0]

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext) -> "TlsPhone":
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context), port)

    def close(self) -> None:
        """At once: Asterisk does not answer the farewell of TLS."""
        self._writer.transport.abort()

    async def register(self, user: str, password: str) -> int:
        return (await self._with_password("REGISTER", f"sip:127.0.0.1:{self._port}", user, password, ""))[0]

    async def invite(self, number: str, user: str, password: str, voice: str) -> tuple[int, str]:
        """The final status, and what the PBX offers for the voice."""
        return await self._with_password("INVITE", f"sip:{number}@127.0.0.1:{self._port}", user, password, voice)

    async def _with_password(self, method: str, uri: str, user: str, password: str, body: str) -> tuple[int, str]:
        call_id, tag = secrets.token_hex(8), secrets.token_hex(4)

        def request(number: int, word: str, extra: str, to_tag: str = "", sent: str = body) -> bytes:
            kind = "Content-Type: application/sdp\r\n" if sent else ""
            to = f"sip:{user}@127.0.0.1" if method == "REGISTER" else uri
            return (
                f"{word} {uri} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:5;branch=z9hG4bK{secrets.token_hex(6)};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{user}@127.0.0.1>;tag={tag}\r\nTo: <{to}>{to_tag}\r\nCall-ID: {call_id}\r\n"
                f"CSeq: {number} {word}\r\nContact: <sip:{user}@127.0.0.1:5;transport=tls>\r\n{extra}{kind}"
                f"Content-Length: {len(sent)}\r\n\r\n{sent}"
            ).encode()

        async def ask(number: int, extra: str) -> tuple[int, str, str]:
            self._writer.write(request(number, method, extra))
            status, head, said = await self._final(f"{number} {method}")
            if method == "INVITE":
                found = re.search(r"^To:.*?(;tag=\S+)", head, re.MULTILINE)
                self._writer.write(request(number, "ACK", "", found[1] if found else "", ""))
                if status == 200:
                    self._writer.write(request(number + 1, "BYE", "", found[1] if found else "", ""))
                    await self._final(f"{number + 1} BYE")
            return status, head, said

        status, head, said = await ask(1, "")
        if status == 401:
            status, _, said = await ask(2, _authorization(method, uri, user, password, head))
        return status, said

    async def _final(self, cseq: str) -> tuple[int, str, str]:
        """The final answer to that request; whatever else comes is let go by."""
        async with asyncio.timeout(10):
            while True:
                head = (await self._reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
                length = re.search(r"^Content-Length: *(\d+)", head, re.MULTILINE | re.IGNORECASE)
                said = (await self._reader.readexactly(int(length[1]) if length else 0)).decode(errors="replace")
                if head.startswith("SIP/2.0") and f"CSeq: {cseq}" in head and int(head.split(" ", 2)[1]) >= 200:
                    return int(head.split(" ", 2)[1]), head, said


def _authorization(method: str, uri: str, user: str, password: str, challenge: str) -> str:
    line = re.search(r"^WWW-Authenticate: (.*)$", challenge, re.MULTILINE)
    given = dict(re.findall(r'(\w+)="?([^",\r]*)"?', line[1] if line else ""))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    secret = md5(f"{user}:{given['realm']}:{password}")
    answer = md5(f"{secret}:{given['nonce']}:00000001:c0:auth:{md5(f'{method}:{uri}')}")
    return (
        f'Authorization: Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{uri}", '
        f'response="{answer}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c0", opaque="{given.get("opaque", "")}"\r\n'
    )
