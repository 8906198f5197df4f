"""How the service listens for HTTP."""

import socket

from nobat.app import _listen


def test_an_answer_does_not_wait_for_the_readers_acknowledgement() -> None:
    """Head and body of an answer are two packets; without this a kept connection gets each answer 40 ms late."""
    with _listen("127.0.0.1", 0) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
