"""The service carries calls, records them and keeps them, with the rights that its systemd unit leaves it and not one more."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from lab import process
from lab.pbx import CHECKOUT
from lab.service import NOBAT, Service
from tests.support import unit_sandbox
from tests.support.serving import Json, Serving
from tests.support.until import until

UNIT = CHECKOUT / "deploy/systemd/nobat.service"


class UnitService(Service):
    """Started as the unit would start it; it may write what the unit says: its own folder, and Asterisk's two."""

    def start(self) -> None:
        folders = [self.directory, self.recording_dir, self.voicemail_dir]
        for folder in (one for one in folders if one is not None and one != self.directory):  # the guide's `install -d`
            folder.mkdir(exist_ok=True)
            os.chown(folder, folder.parent.stat().st_uid, os.getgid())
            folder.chmod(0o2770)
            folder.parent.chmod(0o751)
        private = self.directory / "tmp"
        private.mkdir(exist_ok=True)
        environment = {"WRITABLE": ":".join(str(one) for one in folders if one is not None), "TMPDIR": str(private)}
        command = [sys.executable, unit_sandbox.__file__, str(UNIT), str(NOBAT), "serve", "--config", str(self.config)]
        process.start(command, self.log_file, self._pid_file, {**os.environ, **environment})

    def status(self) -> list[str]:
        """What the kernel says of it."""
        return Path(f"/proc/{self.running_pid()}/status").read_text().splitlines()


async def test_calls_are_carried_and_recorded_under_the_units_restrictions(serving: Serving) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze says which system calls a group has")
    bank, plain = serving.bank, serving.service
    plain.stop()
    serving.service = UnitService(**{name: getattr(plain, name) for name in plain.__dataclass_fields__})
    try:
        serving.service.start()
        serving.service.wait_ready()
        assert {"Seccomp:\t2", "CapEff:\t0000000000000000"} <= set(serving.service.status())
        await serving.set_queue(recording={"mode": "always"})
        await bank.given_phone("agent-101", talk=(1.0, 1.0), tone=1200)  # long enough for sound on the disk
        await serving.given_available("101")
        customer = await bank.call("8000", tone=440)
        call = await serving.until_call(customer, state="talking", agent="101")
        await serving.until_call(customer, state="ended", outcome="answered")

        found: list[Json] = []

        async def kept() -> bool:
            found[:] = (await serving.get("/v1/recordings", call=call["id"]))["items"]
            if not found or found[0]["state"] == "open":
                return False
            heard = await serving.api.get(f"/v1/recordings/{found[0]['id']}/audio")
            return heard.status_code == 200 and heard.content.startswith(b"RIFF")

        await until(kept, "the recording is kept and can be heard", within_s=15, seen=lambda: found)
    finally:
        serving.service.stop()
        serving.service = plain
        plain.start()
        plain.wait_ready()
        await serving.set_queue(recording={"mode": "never"})
