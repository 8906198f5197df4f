"""The hardened PBX as it runs: each line of docs/guides/hardening.md that speaks of Asterisk, asked of Asterisk itself."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.ami_client import AmiClient, AmiError
from tests.support.fail2ban import attackers
from tests.support.hardening import (
    ABSENT,
    ANYBODY,
    APPLICATIONS,
    FUNCTIONS,
    MAY,
    MAY_NOT,
    PHONE,
    TRUNK,
    values,
)
from tests.support.pbx import ASKING, TestPbx
from tests.support.rawsip import RawSip
from tests.support.sips import KEYED, PLAIN, TlsPhone, trusting
from tests.support.until import until

FILTER = Path(__file__).parents[2] / "asterisk-conf/fail2ban/filter.d/nobat-asterisk.conf"


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(pbx: TestPbx) -> AsyncIterator[RawSip]:
    """Somebody at an address that is not the trunk's."""
    raw = await RawSip.open(pbx.sip, "127.0.0.2")
    yield raw
    raw.close()


# ---------------------------------------------------------------- the AMI


async def test_the_one_account_may_exactly_this(ami: AmiClient, pbx: TestPbx) -> None:
    listed = await ami.act("ListCommands")
    assert set(listed) - {"Response", "ActionID"} == MAY | ANYBODY
    account = values(await pbx.console("manager show user nobat"))
    assert account["read perm"] == "system,call,user,reporting"
    assert set(account["write perm"].split(",")) == {"call", "originate", "reporting"}
    users = await pbx.console("manager show users")
    assert re.findall(r"^(\w+)$", users.partition("-\n")[2], re.MULTILINE) == ["nobat"]


async def test_each_action_of_other_classes_is_refused(ami: AmiClient) -> None:
    for action, headers in MAY_NOT.items():
        with pytest.raises(AmiError, match=r"Permission denied|Invalid/unknown command"):
            await ami.act(action, **headers)


async def test_no_dangerous_application_or_function_by_originate_or_getvar(ami: AmiClient, pbx: TestPbx) -> None:
    for application in APPLICATIONS:
        with pytest.raises(AmiError):
            await ami.act("Originate", Channel="Local/none@acd-nowhere", Application=application, Data="touch /tmp/x")
    for function in FUNCTIONS:
        with pytest.raises(AmiError):
            await ami.act(
                "Originate", Channel="Local/none@acd-nowhere", Application="Playback", Data=f"${{{function}}}"
            )
        try:
            said = await ami.act("Getvar", Variable=function)
        except AmiError:
            continue
        assert said.get("Value", "") in {"", "(null)"}, function
    assert await pbx.is_quiet()


def listening(port: int) -> set[str]:
    """The addresses at which this machine listens on a port, as the kernel writes them."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
        found |= {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
    return found


def users_of(pid: int | None) -> set[int]:
    """Real, effective, saved and file system user of a process."""
    (line,) = re.findall(r"^Uid:\s+(.*)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return {int(one) for one in line.split()}


async def test_the_ami_listens_on_loopback_alone_and_http_not_at_all(pbx: TestPbx) -> None:
    assert listening(pbx.ami_port) == {"0100007F"}
    shown = values(await pbx.console("manager show settings"))
    assert shown["Web Manager (AMI/HTTP)"] == "No"
    assert shown["Timestamp events"] == "Yes"
    assert shown["Allow multiple login"] == "Yes"
    assert {"Newexten", "VarSet", "RTCPSent", "RTCPReceived"} <= set(shown["Disabled events"].split(","))
    assert "Server Disabled" in await pbx.console("http show status")


async def test_the_right_secret_from_another_address_is_refused(pbx: TestPbx) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", pbx.ami_port, local_addr=("127.0.0.3", 0))
    writer.write(f"Action: Login\r\nUsername: nobat\r\nSecret: {pbx.ami_secret}\r\n\r\n".encode())
    said = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert b"Response: Error" in said
    assert b"Authentication failed" in said
    writer.close()
    await writer.wait_closed()


async def test_idle_connections_without_a_login_are_few_and_shut_nobody_out_who_is_in(
    pbx: TestPbx, ami: AmiClient
) -> None:
    """``authlimit``: the eleventh is closed at once; whoever is logged in works on."""
    idle = [await asyncio.open_connection("127.0.0.1", pbx.ami_port) for _ in range(14)]

    async def is_closed(reader: asyncio.StreamReader) -> bool:
        try:
            async with asyncio.timeout(0.3):
                await reader.readuntil(b"\r\n")  # the greeting
                return not await reader.read(1)
        except (asyncio.IncompleteReadError, ConnectionError):
            return True
        except TimeoutError:
            return False

    closed = await asyncio.gather(*(is_closed(reader) for reader, _ in idle))
    assert 1 <= sum(closed) <= 14
    assert (await ami.act("Ping"))["Ping"] == "Pong"
    for _, writer in idle:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in idle), return_exceptions=True)


# ---------------------------------------------------------------- Asterisk itself


async def test_it_runs_unprivileged_with_limits_and_without_a_shell(pbx: TestPbx) -> None:
    shown = values(await pbx.console("core show settings"))
    assert shown["User name and group"] == "asterisk/asterisk"
    assert shown["System name"] == "pbx1"
    assert shown["Maximum calls"].startswith("4000")
    assert shown["Minimum free memory"] == "64 MB"
    assert shown["Shell on remote consoles"] == "Disabled"
    assert shown["Executable includes"] == "Disabled"
    assert shown["Hide Msg Chan AMI events"] == "Enabled"
    assert shown["Web Manager (AMI/HTTP)"] == "Disabled"
    (own,) = users_of(pbx.instance.running_pid())
    assert own != 0
    etc = pbx.instance.directory / "etc"
    for file in etc.rglob("*"):
        assert file.stat().st_uid != own, f"Asterisk may change {file.name}"
        assert not file.stat().st_mode & 0o007, f"anybody may read {file.name}"


async def test_what_is_not_used_is_not_loaded(pbx: TestPbx) -> None:
    loaded = set(re.findall(r"^(\w+)\.so", await pbx.console("module show"), re.MULTILINE))
    assert "chan_pjsip" in loaded
    assert not loaded & set(ABSENT)
    wanted = (pbx.instance.directory / "etc" / "modules.conf").read_text()
    assert loaded == set(re.findall(r"^load = (\w+)\.so", wanted, re.MULTILINE)), "exactly what modules.conf names"
    assert "No such command" in await pbx.console("dialplan save")


async def test_the_trunk_reaches_the_entrance_and_nothing_else(pbx: TestPbx) -> None:
    shown = await pbx.console("dialplan show from-trunk")
    lines = re.findall(r"^\s+'([^']+)' =>\s+\d+\. (.*?)\s+\[", shown, re.MULTILINE)
    assert lines
    for pattern, does in lines:
        if pattern == ASKING:  # the tests' own, as a site would write it
            continue
        assert does == "Goto(acd-enter,${EXTEN},1)"
        assert re.fullmatch(r"_X+", pattern), f"{pattern} has no strict length"
    codes = await pbx.console("dialplan show from-phones")
    assert not re.search(r"ChanSpy|@trunk|System|Originate", codes), "phones dial no spying and no toll numbers"


async def test_phones_and_trunk_are_set_as_the_guide_says(pbx: TestPbx) -> None:
    shown = values(await pbx.console("pjsip show endpoint agent-101"))
    assert {name: shown[name] for name in PHONE} == PHONE
    shown = values(await pbx.console("pjsip show endpoint trunk"))
    assert {name: shown[name] for name in TRUNK} == TRUNK
    place = values(await pbx.console("pjsip show aor agent-101"))
    assert (place["max_contacts"], place["remove_existing"]) == ("1", "true")
    assert "anonymous" not in await pbx.console("pjsip show endpoints")
    assert values(await pbx.console("rtp show settings"))["Strict RTP"] == "Yes"


async def test_strangers_get_the_same_challenge_whatever_they_ask_for(stranger: RawSip, pbx: TestPbx) -> None:
    """No OPTIONS, SUBSCRIBE or MESSAGE without a password, and nothing that tells which names exist."""
    for method in ("OPTIONS", "SUBSCRIBE", "MESSAGE", "REGISTER"):
        answers = {await stranger.ask(method, user, user) for user in ("agent-101", "agent-999", "8000", "trunk")}
        assert len(answers) == 1, (method, answers)
        assert answers <= {401, 405, 489, 501}, (method, answers)
    assert await pbx.is_quiet()


# ---------------------------------------------------------------- the security log


async def test_the_filter_finds_every_kind_of_attack_and_nobody_else(
    pbx: TestPbx, stranger: RawSip, tmp_path: Path
) -> None:
    log = pbx.instance.directory / "log" / "security.log"
    before = log.stat().st_size
    for user, secret in (("nobat", "wrong"), ("nobody", "x")):  # InvalidPassword, InvalidAccountID
        with pytest.raises(AmiError):
            await AmiClient.connect(pbx.ami_port, user, secret)
    reader, writer = await asyncio.open_connection("127.0.0.1", pbx.ami_port, local_addr=("127.0.0.3", 0))
    writer.write(f"Action: Login\r\nUsername: nobat\r\nSecret: {pbx.ami_secret}\r\n\r\n".encode())  # FailedACL
    await reader.read(200)
    writer.close()
    await writer.wait_closed()
    await stranger.ask("REGISTER", "agent-999", "agent-999")  # InvalidAccountID
    with pytest.raises(AssertionError, match="401"):
        await stranger.register("agent-101", "wrong")  # ChallengeResponseFailed
    await (await pbx.ami()).close()  # SuccessfulAuth

    def told() -> str:
        return log.read_text()[before:]

    kinds = ("InvalidPassword", "InvalidAccountID", "FailedACL", "ChallengeResponseFailed", "SuccessfulAuth")
    await until(lambda: all(f'SecurityEvent="{kind}"' in told() for kind in kinds), "all in the log", seen=told)
    copy = tmp_path / "security.log"
    copy.write_text(told())
    lines = copy.read_text().splitlines()
    bad = [line for line in lines if any(f'SecurityEvent="{kind}"' in line for kind in kinds[:4])]
    found = await asyncio.to_thread(attackers, copy, FILTER)
    assert len(found) == len(bad) >= 5
    assert set(found) == {"127.0.0.1", "127.0.0.2", "127.0.0.3"}


FORGED = 'x",SessionID="x",LocalAddress="IPV4/UDP/127.0.0.1/5060",RemoteAddress="IPV4/UDP/203.0.113.7/5060'


async def test_no_word_of_an_attacker_has_somebody_else_banned(pbx: TestPbx, stranger: RawSip, tmp_path: Path) -> None:
    """In a name, in a Call-ID, in a digest, as they reach the log; he himself is banned all the same."""
    log = pbx.instance.directory / "log" / "security.log"
    before = log.stat().st_size
    for name in (FORGED, FORGED + '"', "203.0.113.7"):
        with pytest.raises(AmiError):
            await AmiClient.connect(pbx.ami_port, name, "x")
    quoted = FORGED.replace('"', "%22").replace(",", "%2C").replace("=", "%3D").replace("/", "%2F")
    await stranger.ask("REGISTER", quoted, quoted)
    await stranger.ask("REGISTER", "agent-101", "agent-101", call_id=FORGED)
    challenged = await stranger.challenge("agent-101")
    escaped = FORGED.replace('"', '\\"')
    for response in (f'"{escaped}"', f'"{escaped}\\",Challenge=\\"1/2\\",Response=\\"3"'):
        await stranger.answer("agent-101", challenged, response)
    await until(lambda: log.read_text()[before:].count("203.0.113.7") >= 3, "it is in the log")
    copy = tmp_path / "security.log"
    copy.write_text(log.read_text()[before:])
    found = await asyncio.to_thread(attackers, copy, FILTER)
    assert found
    assert set(found) <= {"127.0.0.1", "127.0.0.2"}, copy.read_text()


@pytest.mark.parametrize(
    ("line", "banned"),
    [
        ('Service="PJSIP",EventVersion="1",AccountID="{0}",SessionID="a",{1}', True),
        ('Service="PJSIP",EventVersion="1",AccountID="a",SessionID="{0}",{1}', True),
        (
            'Service="PJSIP",EventVersion="1",AccountID="a",SessionID="a",{1},Challenge="1/a",Response="{2}",ExpectedResponse=""',
            False,
        ),
        (
            'Service="PJSIP",EventVersion="1",AccountID="a",SessionID="a",{1},Challenge="1/a",Response="ab",ExpectedResponse=""',
            True,
        ),
        ('Service="AMI",EventVersion="1",AccountID="{0}",SessionID="0x1",{1}', False),
        ('Service="AMI",EventVersion="1",AccountID="a",SessionID="0x1",{1}', True),
    ],
)
async def test_a_forged_line_bans_whoever_sent_it_or_nobody(line: str, banned: bool, tmp_path: Path) -> None:
    real = 'LocalAddress="IPV4/UDP/10.0.0.1/5060",RemoteAddress="IPV4/UDP/198.51.100.9/5060"'
    said = line.format(FORGED, real, FORGED.replace('"', '\\"'))
    head = '[2026-11-22 13:37:00.326] SECURITY[31154] res_security_log.c: SecurityEvent="ChallengeResponseFailed",'
    log = tmp_path / "security.log"
    log.write_text(f'{head}EventTV="2026-11-22T13:37:00.326+0000",Severity="Error",{said}\n')
    found = await asyncio.to_thread(attackers, log, FILTER)
    assert found == (["198.51.100.9"] if banned else [])


# ---------------------------------------------------------------- the profile of encrypted phones, and a site's own lines

SITE = "[site]\ntype = acl\ndeny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.1\n"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sealed() -> AsyncIterator[TestPbx]:
    """A PBX with TLS, SRTP, and a list of addresses that may come at all."""
    started = await TestPbx.started("sealed", agents=2, tls=True, site=SITE)
    yield started
    await started.close()


async def test_encrypted_phones_register_and_call_and_others_do_not(sealed: TestPbx) -> None:
    log = sealed.instance.log_tail(200)
    assert "WARNING" not in log, log
    assert "ERROR" not in log, log
    certificate = sealed.instance.directory / "etc" / "keys" / "asterisk.pem"
    phone = await TlsPhone.open(sealed.settings.tls_port, trusting(certificate))
    assert await phone.register("agent-101", "nobat-agent-101") == 200
    assert await phone.register("agent-101", "wrong") == 401
    status, _ = await phone.invite("*12", "agent-101", "nobat-agent-101", PLAIN)
    assert status == 488, "a voice without keys"
    status, said = await phone.invite("*12", "agent-101", "nobat-agent-101", KEYED)
    assert status == 200
    assert "RTP/SAVP" in said
    assert "a=crypto:" in said
    phone.close()
    shown = values(await sealed.console("pjsip show endpoint agent-101"))
    assert (shown["transport"], shown["media_encryption"], shown["media_encryption_optimistic"]) == (
        "tls",
        "sdes",
        "false",
    )


async def test_only_good_ciphers_are_spoken(sealed: TestPbx) -> None:
    certificate = sealed.instance.directory / "etc" / "keys" / "asterisk.pem"
    phone = await TlsPhone.open(sealed.settings.tls_port, trusting(certificate, ssl.TLSVersion.TLSv1_2))
    assert phone.cipher.startswith("ECDHE")
    assert "GCM" in phone.cipher
    phone.close()
    weak = trusting(certificate, ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers("AES128-SHA:AES256-SHA:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await TlsPhone.open(sealed.settings.tls_port, weak)


async def test_a_sites_list_of_addresses_holds(sealed: TestPbx) -> None:
    raw = await RawSip.open(sealed.sip, "127.0.0.2")
    assert await raw.ask("OPTIONS", "agent-101", "agent-101") == 403
    raw.close()
