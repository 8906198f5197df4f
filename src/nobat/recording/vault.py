"""Encrypted files, each with a key of its own, which are read in pieces.

A file's key is random, and is kept in the database wrapped by the master key, which is a file of the operator's: a copy of the
folder, or of the database, opens nothing, and a recording whose key is deleted is gone from every backup too.

The file is a head and then chunks of AES-256-GCM: chunk *n* has the nonce *n*, which no other chunk of that key has, and is bound
to the recording's id, its place and whether it is the last. So a Range needs only its own chunks, and a chunk that was changed,
moved, left out or taken from another file is refused.

The cipher (``nobat.recording.cipher``) is loaded with the first recording that is sealed or opened: no start waits for it.
"""

import base64
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"NOBATREC1\n"
CHUNK = 65_536
TAG = 16
NONCE = 12
KEY = 32


class VaultError(Exception):
    """A file or a key that is not what it should be. The text is for the operator."""


def master_key(file: Path) -> bytes:
    """The master key, made on first use, readable by the service alone. Raises ``VaultError``."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise VaultError(f"the key file {file} cannot be made: {error.strerror}") from None
    else:
        _write_key(file, descriptor)
    try:
        text = file.read_bytes()
    except OSError as error:
        raise VaultError(f"the key file {file} cannot be read: {error.strerror}") from None
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY:
        raise VaultError(f"the key file {file} does not hold a key of {KEY} bytes in base64")
    return key


def _write_key(file: Path, descriptor: int) -> None:
    """All of it or none: a file without a key would be taken for a damaged one at the next start."""
    try:
        with os.fdopen(descriptor, "wb") as made:
            made.write(base64.b64encode(secrets.token_bytes(KEY)) + b"\n")
            made.flush()
            os.fsync(made.fileno())
    except OSError as error:
        file.unlink(missing_ok=True)
        raise VaultError(f"the key file {file} cannot be made: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Vault:
    """One folder of encrypted files, by recording id."""

    folder: Path
    master: bytes

    def file_of(self, recording: str) -> Path:
        return self.folder / f"{recording}.nbr"

    def put(self, recording: str, plain: Iterable[bytes]) -> tuple[str, int]:
        """Encrypt ``plain`` into its file; the wrapped key, and the length of what went in. Raises ``OSError``."""
        from nobat.recording import cipher

        key = secrets.token_bytes(KEY)
        target = self.file_of(recording)
        part = target.with_suffix(".part")
        part.unlink(missing_ok=True)
        size = 0
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(MAGIC)
            for number, (chunk, last) in enumerate(_chunks(plain)):
                size += len(chunk)
                out.write(cipher.seal(key, _nonce(number), chunk, _bound(recording, number, last=last)))
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
        return self._wrapped(recording, key), size

    def read(self, recording: str, wrapped: str, size: int, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``end`` of the ``size`` that went in, in pieces. Raises ``VaultError``, ``OSError``."""
        from nobat.recording import cipher

        key = self._unwrapped(recording, wrapped)
        end = size if end is None else min(end, size)
        last = max(0, (size - 1) // CHUNK)
        with self.file_of(recording).open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise VaultError(f"{recording}: this is no recording of ours")
            for number in range(start // CHUNK, max(0, end - 1) // CHUNK + 1):
                file.seek(len(MAGIC) + number * (CHUNK + TAG))
                sealed = file.read(CHUNK + TAG)
                plain = cipher.opened(key, _nonce(number), sealed, _bound(recording, number, last=number == last))
                if plain is None:
                    raise VaultError(f"{recording}: a part of the file has been changed")
                first = number * CHUNK
                yield plain[max(0, start - first) : max(0, end - first)]

    def remove(self, recording: str) -> None:
        """Take the file away; one that is not there is no error."""
        self.file_of(recording).unlink(missing_ok=True)

    def _wrapped(self, recording: str, key: bytes) -> str:
        from nobat.recording import cipher

        nonce = secrets.token_bytes(NONCE)
        sealed = cipher.seal(self.master, nonce, key, recording.encode())
        return base64.b64encode(nonce + sealed).decode()

    def _unwrapped(self, recording: str, wrapped: str) -> bytes:
        from nobat.recording import cipher

        raw = base64.b64decode(wrapped)
        key = cipher.opened(self.master, raw[:NONCE], raw[NONCE:], recording.encode())
        if key is None:
            raise VaultError(f"{recording}: the master key does not open it")
        return key


def _chunks(plain: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """``plain`` in pieces of one length, each with whether it is the last; at least one."""
    rest = b""
    for piece in plain:
        rest += piece
        while len(rest) > CHUNK:
            yield rest[:CHUNK], False
            rest = rest[CHUNK:]
    yield rest, True


def _nonce(number: int) -> bytes:
    return number.to_bytes(NONCE, "big")


def _bound(recording: str, number: int, *, last: bool) -> bytes:
    return b"%s %d %d" % (recording.encode(), number, last)
