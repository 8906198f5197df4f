"""Free ports on loopback, so that test runs, a lab and a demo live side by side."""

import socket


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody uses now. Another process may take it before we do; then the start fails and says so."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_udp_port() -> int:
    """As ``free_port``, for SIP."""
    return free_port(socket.SOCK_DGRAM)
