"""The SIP that passes on the loopback interface, for what a phone is told and Asterisk's dialplan cannot show.

``with Overheard(port) as overheard: …`` collects; only root may listen so (``PermissionError``).
"""

import socket
from types import TracebackType

ETHERTYPE_IP = 0x0800
ETHERNET, UDP_HEAD, UDP = 14, 8, 17
BUFFER = 4 << 20


class Overheard:
    """Datagrams to one UDP port, in order. What was collected is read by ``messages``, whenever it is asked for."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._seen: list[str] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_IP))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._socket.bind(("lo", 0))
        self._socket.setblocking(False)

    def __enter__(self) -> "Overheard":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def messages(self) -> list[str]:
        """All so far, each once: loopback shows a packet as it leaves and as it comes."""
        while True:
            try:
                packet, address = self._socket.recvfrom(65_535)
            except BlockingIOError:
                return self._seen
            if address[2] == socket.PACKET_OUTGOING:
                continue
            head = ETHERNET + (packet[ETHERNET] & 15) * 4
            if packet[ETHERNET + 9] == UDP and int.from_bytes(packet[head + 2 : head + 4]) == self._port:
                body = packet[head + UDP_HEAD :]
                if b"SIP/2.0" in body[:200]:
                    self._seen.append(body.decode("utf-8", "replace"))
