"""One Asterisk instance: its folders, its rendered configuration, its process.

Several run side by side (the lab's PBX, its phone bank, those of a test run), each with folders of its own. Where the
machine has no fitting Asterisk, the instance runs by ``chroot`` in the root file system of the cache: its folders then
lie inside that file system, under ``/nobat/<name>``, and nothing is mounted.

Called by ``lab.stack`` and by the fixtures of ``tests/support``. Order: ``Instance(...)``, ``write``, ``start``, ``stop``.
"""

import os
import re
import shutil
import signal
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import process
from lab.mend import MENDED

_PLACE = re.compile(r"@([A-Z_]+)@")
SHARE = Path("/usr/share/asterisk")
_FOLDERS = ("etc", "run", "log", "db", "spool", "record")


class LabError(Exception):
    """Something of the lab did not work; the text is for the person who ran it."""


@dataclass(frozen=True, slots=True)
class AsteriskHome:
    """Where an Asterisk is installed: ``/``, or a root file system to ``chroot`` into."""

    root: Path

    @property
    def is_system(self) -> bool:
        return self.root == Path("/")

    def command(self, *arguments: str) -> list[str]:
        if self.is_system:
            return ["asterisk", *arguments]
        program = f"/{MENDED}" if (self.root / MENDED).exists() else "asterisk"
        return ["chroot", str(self.root), program, *arguments]

    def module_dir(self) -> str:
        """The modules' folder as Asterisk sees it; its path names the machine's architecture."""
        for found in self.root.glob("usr/lib/**/asterisk/modules"):
            return "/" + str(found.relative_to(self.root))
        raise LabError(f"no Asterisk modules under {self.root}")

    def user(self) -> tuple[str, int, int]:
        """The unprivileged user that Debian's package made: name, uid, gid."""
        for line in (self.root / "etc/passwd").read_text().splitlines():
            name, _, uid, gid, *_ = line.split(":")
            if name == "asterisk":
                return name, int(uid), int(gid)
        raise LabError(f"no user 'asterisk' in {self.root}/etc/passwd")


def fill(text: str, values: Mapping[str, str], source: str) -> str:
    """``text`` with each ``@NAME@`` replaced. A name without a value is an error, not an empty string."""

    def value(match: re.Match[str]) -> str:
        try:
            return values[match[1]]
        except KeyError:
            raise LabError(f"{source}: nothing is known for @{match[1]}@") from None

    return _PLACE.sub(value, text)


def lay_share(share: Path, system: Path, prompts: Path) -> None:
    """Make ``share``: everything that Asterisk's own folder ``system`` has, by links that hold inside its root, and beside its
    voices a copy of our ``prompts`` (``<language>/nobat/``)."""
    share.mkdir()
    for entry in system.glob("*"):
        if entry.name != "sounds":
            (share / entry.name).symlink_to(SHARE / entry.name)
    for voice in (system / "sounds").glob("*"):
        if voice.is_dir() and not voice.is_symlink():  # en_US_f_Allison, for example; `en` is a link to it
            language = share / "sounds" / voice.name.partition("_")[0]
            language.mkdir(parents=True, exist_ok=True)
            for entry in voice.iterdir():
                (language / entry.name).symlink_to(SHARE / "sounds" / voice.name / entry.name)
    shutil.copytree(prompts, share / "sounds", dirs_exist_ok=True)


@dataclass(frozen=True, slots=True)
class Instance:
    """An Asterisk of its own. ``at`` is used when the Asterisk is the system's; else it lives inside the root."""

    name: str
    home: AsteriskHome
    at: Path

    @property
    def directory(self) -> Path:
        """Its folder as this machine sees it."""
        return self.at if self.home.is_system else self.home.root / "nobat" / self.name

    def inside(self, *parts: str) -> str:
        """A path of its folder as Asterisk itself sees it."""
        path = self.directory.joinpath(*parts)
        return str(path) if self.home.is_system else "/" + str(path.relative_to(self.home.root))

    @property
    def voicemail(self) -> Path:
        """Where it puts what callers say, as this machine sees it."""
        return self.directory / "spool" / "nobat-voicemail"

    @property
    def recordings(self) -> Path:
        """Where it puts the two halves of a conversation, as this machine sees it."""
        return self.directory / "spool" / "nobat-recording"

    def path_values(self) -> dict[str, str]:
        """The values of the placeholders that say where things are."""
        return {
            "ETC_DIR": self.inside("etc"),
            "RUN_DIR": self.inside("run"),
            "LOG_DIR": self.inside("log"),
            "DATA_DIR": self.inside("db"),
            "SPOOL_DIR": self.inside("spool"),
            "SHARE_DIR": str(SHARE),
            "MUSIC_DIR": str(SHARE / "moh"),
            "MODULE_DIR": self.home.module_dir(),
            "RUN_USER": self._user()[0],
        }

    def write(
        self,
        sources: Mapping[str, Path],
        generated: Mapping[str, str],
        values: Mapping[str, str],
        prompts: Path | None = None,
    ) -> None:
        """Fill its folder anew: files of ``sources`` ({folder under etc: where they lie}) and ``generated`` ones, and with
        ``prompts`` a folder of sounds that has those beside Asterisk's own."""
        shutil.rmtree(self.directory, ignore_errors=True)
        for folder in _FOLDERS:
            (self.directory / folder).mkdir(parents=True)
        filled = {**self.path_values(), **values}
        if prompts is not None:
            lay_share(self.directory / "share", self.home.root / SHARE.relative_to("/"), prompts)
            filled["SHARE_DIR"] = self.inside("share")
        for folder, source in sources.items():
            for file in sorted(source.glob("*.conf")):
                self._put(Path(folder) / file.name, fill(file.read_text(), filled, file.name))
        for name, text in generated.items():
            self._put(Path(name), fill(text, filled, name))
        self._hand_over()

    def _hand_over(self) -> None:
        """Its user may read the configuration and write everything else."""
        _, uid, gid = self._user()
        for path in self.directory.rglob("*"):
            if path.is_symlink():
                continue
            is_configuration = path.relative_to(self.directory).parts[0] == "etc"
            os.chown(path, 0 if is_configuration else uid, gid)
            path.chmod(0o750 if path.is_dir() else 0o640)

    def _user(self) -> tuple[str, int, int]:
        """Debian's unprivileged user; root where that user could not even reach the folder (a checkout under /root)."""
        parents = [self.directory, *self.directory.parents] if self.home.is_system else []
        if any(not path.stat().st_mode & stat.S_IXOTH for path in parents):
            return "root", 0, 0
        return self.home.user()

    def _put(self, name: Path, text: str) -> None:
        target = self.directory / "etc" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    @property
    def _mark(self) -> str:
        """The argument by which its process is known among others."""
        return self.inside("etc", "asterisk.conf")

    @property
    def _pid_file(self) -> Path:
        return self.directory / "pid"

    def start(self) -> None:
        """Start it in the background; it is ready when its AMI says FullyBooted."""
        command = self.home.command("-f", "-C", self._mark)
        process.start(command, self.directory / "log" / "console.log", self._pid_file)

    def running_pid(self) -> int | None:
        """Its process, if it lives."""
        return process.running(self._pid_file, self._mark)

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of its logs."""
        found = [
            f"--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
            for path in sorted((self.directory / "log").glob("*.log"))
        ]
        return "\n".join(found)

    def kill(self) -> None:
        """SIGKILL, as a crash would end it."""
        process.end(self._pid_file, self._mark, signal.SIGKILL, 5.0)

    def stop(self, *, keep_files: bool = False) -> None:
        """End it now, calls or not, and remove its folder."""
        process.end(self._pid_file, self._mark, signal.SIGTERM, 5.0)
        if not keep_files:
            shutil.rmtree(self.directory, ignore_errors=True)
