"""Asks an Asterisk over AMI whether it has loaded everything. Blocking and short: the lab's start needs no more."""

import socket
import time


def wait_until_booted(port: int, username: str, secret: str, seconds: float) -> bool:
    """Whether the AMI on loopback said FullyBooted to this account in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if _booted(port, username, secret, deadline):
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def _booted(port: int, username: str, secret: str, deadline: float) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(f"Action: Login\r\nUsername: {username}\r\nSecret: {secret}\r\n\r\n".encode())
        received = b""
        while time.monotonic() < deadline:
            data = connection.recv(4096)
            received += data
            if b"Event: FullyBooted" in received:
                return True
            if not data or b"Response: Error" in received:
                return False
    return False
