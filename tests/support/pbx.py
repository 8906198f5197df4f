"""A PBX for a test: the shipped configuration on ports of its own, ended by its process id.

``TestPbx.started`` -> ``phone_bank`` -> ``close``. Used by the fixtures of ``tests/asterisk``, by the recorder of
``tests/replay`` and by the benchmarks.
"""

import asyncio
import math
import os
import re
import secrets
import tempfile
import wave
from array import array
from collections.abc import Mapping
from pathlib import Path

from lab.asterisk import AsteriskHome, Instance
from lab.home import find_home
from lab.pbx import PbxSettings, write_pbx
from lab.phones import lab_phones
from tests.support.ami_client import AmiClient, AmiError, Heard
from tests.support.certificate import add_certificate
from tests.support.phonebank import PhoneBank, Ports
from tests.support.ports import free_port, free_udp_port
from tests.support.until import Late

MUSIC_TONE = 1040
"""Hz: what the class ``tone`` of music on hold plays."""


class TestPbx:
    """One running Asterisk with the lab's phones."""

    __test__ = False  # not a test class, whatever its name says to pytest

    def __init__(self, instance: Instance, settings: PbxSettings) -> None:
        self.instance = instance
        self.settings = settings
        self.bank_sip = int(settings.trunk.rpartition(":")[2])
        self.left: list[str] = []  # the channels that the last ``is_quiet`` saw

    @classmethod
    async def started(
        cls, name: str, *, agents: int = 40, rtp_timeout_s: int = 5, queues: str = "", tls: bool = False, site: str = ""
    ) -> "TestPbx":
        """Start one. ``name`` tells its folder from others'; the process id makes it unique. ``tls``: with encrypted phones and
        AMI; ``site``: lines of pjsip.conf that a site has added."""
        home = find_home()
        sweep(home)
        unique = f"{name}-{os.getpid()}-{secrets.token_hex(2)}"
        instance = Instance(unique, home, Path(tempfile.gettempdir()) / f"nobat-{unique}")
        settings = PbxSettings(
            sip_port=free_udp_port(),
            ami_port=free_port(),
            ami_secret=secrets.token_hex(16),
            trunk=f"127.0.0.1:{free_udp_port()}",
            phones=lab_phones(agents),
            rtp_start=20000,
            rtp_end=29999,
            rtp_timeout_s=rtp_timeout_s,
            queues=queues,
            tls_port=free_port() if tls else 0,
            ami_tls_port=free_port() if tls else 0,
            site_pjsip=site,
        )
        write_pbx(instance, settings)
        _add_music(instance)
        if tls:
            add_certificate(instance)
        _add_question(instance)
        pbx = cls(instance, settings)
        instance.start()
        await pbx.until_booted()
        return pbx

    @property
    def ami_port(self) -> int:
        return self.settings.ami_port

    @property
    def ami_secret(self) -> str:
        return self.settings.ami_secret

    @property
    def sip(self) -> str:
        return f"127.0.0.1:{self.settings.sip_port}"

    async def until_booted(self, within_s: float = 20) -> None:
        """Wait until its AMI says that everything is loaded."""
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            try:
                client = await self.ami()
            except (OSError, AmiError, asyncio.IncompleteReadError):
                if self.instance.running_pid() is None or asyncio.get_running_loop().time() > deadline:
                    raise Late(f"the PBX did not start\n{self.instance.log_tail()}") from None
                await asyncio.sleep(0.05)
            else:
                await client.close()
                return

    async def ami(self, heard: Heard = lambda _: None) -> AmiClient:
        """A login of the test's own, with the service's account."""
        return await AmiClient.connect(self.ami_port, "nobat", self.ami_secret, heard)

    async def phone_bank(self) -> PhoneBank:
        """The phones and customers of this PBX, started."""
        instance = Instance(f"{self.instance.name}-bank", self.instance.home, self.instance.at.with_name("bank"))
        ports = Ports(sip=self.bank_sip, ami=free_port(), rtp_start=30000, rtp_end=39999)
        bank = PhoneBank(instance, ports, self.sip, self.settings.phones)
        await bank.open()
        return bank

    async def is_quiet(self) -> bool:
        """Whether no channel is left."""
        client = await self.ami()
        left = await client.list("Status")
        await client.close()
        self.left = [f"{one['Channel']} in {one['Context']},{one['Exten']}: {one['Application']}" for one in left]
        return not left

    async def console(self, command: str) -> str:
        """What the running Asterisk answers on its own console, of which the AMI knows nothing."""
        words = self.instance.home.command("-C", self.instance.inside("etc", "asterisk.conf"), "-rx", command)
        done = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await done.communicate()
        return said.decode(errors="replace")

    async def load(self, module: str, configuration: Mapping[str, str]) -> None:
        """What a site has beside what Nobat needs: a module of Asterisk's, with files of its own."""
        etc = self.instance.directory / "etc"
        for name, text in configuration.items():
            (etc / name).write_text(text)
            (etc / name).chmod(0o644)
        said = await self.console(f"module load {module}")
        assert "Unable" not in said, said

    async def restart(self) -> None:
        """Start it again after it was killed, with the same folders and ports."""
        (self.instance.directory / "run" / "asterisk.ctl").unlink(
            missing_ok=True
        )  # a child of the dead one may still hold it
        self.instance.start()
        await self.until_booted()

    async def close(self) -> None:
        self.instance.stop()


def _add_music(instance: Instance) -> None:
    """A second class of music on hold beside the shipped one, of a tone that a recording is searched for."""
    folder = instance.directory / "music"
    folder.mkdir()
    with wave.open(str(folder / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        samples = (round(9000 * math.sin(2 * math.pi * MUSIC_TONE * n / 8000)) for n in range(8000))
        file.writeframes(array("h", samples).tobytes())
    with (instance.directory / "etc" / "musiconhold.conf").open("a") as classes:
        classes.write(f"\n[tone]\nmode = files\ndirectory = {instance.inside('music')}\n")


ASKING = "_88XXXX"
"""Numbers that ask for consent first, as a site's own dialplan would."""


SAYING = "said"
"""A context whose ``s`` raises the event AcdProbe with what the variable SAID holds, its marks turned into control characters."""

MARKS = {"^": r"\t", "@": r"\n", "!": r"\r"}


def _add_question(instance: Instance) -> None:
    with (instance.directory / "etc" / "extensions.conf").open("a") as dialplan:
        dialplan.write(f"\n[from-trunk](+)\nexten => {ASKING},1,Set(ACD_CONSENT_PROMPT=beep)\n")
        dialplan.write(" same => n,Goto(acd-consent,${EXTEN:2},1)\n")
        dialplan.write(f"\n[{SAYING}]\nexten => over,1,Hangup()\nexten => s,1,NoOp()\n")
        for mark, character in MARKS.items():
            dialplan.write(f" same => n,Set(SAID=${{REPLACE(SAID,{mark},{character})}})\n")
        dialplan.write(" same => n,UserEvent(AcdProbe,Said: ${SAID},Then: more)\n same => n,Answer(0,i)\n")


def sweep(home: AsteriskHome) -> None:
    """End and remove what a test run that was killed has left behind: instances whose maker is no more."""
    for folder in (home.root / "nobat").glob("*"):
        maker = re.search(r"-(\d+)-[0-9a-f]{4}(-bank)?$", folder.name)
        if maker is not None and not Path(f"/proc/{maker[1]}").exists():
            Instance(folder.name, home, folder).stop()
