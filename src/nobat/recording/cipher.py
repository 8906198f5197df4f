"""AES-256-GCM: seal and open. ``nobat.recording.vault`` says what is sealed, by which key, and which nonce it has."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def seal(key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
    """``plain`` as only who has the key, and says what it is ``bound`` to, can open it."""
    return AESGCM(key).encrypt(nonce, plain, bound)


def opened(key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes | None:
    """None if it is not what was sealed."""
    try:
        return AESGCM(key).decrypt(nonce, sealed, bound)
    except (InvalidTag, ValueError):
        return None
