"""recording_cost: what a recorded conversation costs Asterisk, against the same conversation with a plain ``MixMonitor``.

The peer is four lines of dialplan: answer, ``MixMonitor`` into one file, ``Dial``. Both have the same phones, tones on both legs
and the same bridges; blocks of both alternate, and conversations that nobody records are measured beside them. Joining and
encrypting is the service's work and is told apart.
"""

import asyncio
from statistics import mean

from benchmarks.figures import heading, verdict
from benchmarks.rig import OURS, Rig, rig

TALKS = 25
SETTLE_S = 1.5
GOAL = 1.15
KINDS = ("plain", "peer", "recorded")
PEER_DIALPLAN = (
    "\n[from-trunk](+)\nexten => _91XX,1,Answer()\n"
    " same => n,MixMonitor(${ASTSPOOLDIR}/nobat-recording/peer-${UNIQUEID}.wav,b)\n"
    " same => n,Dial(PJSIP/agent-${EXTEN:1},30,g)\n same => n,Hangup()\n"
)


async def run(*, full: bool) -> bool:
    """Print CPU a conversation of each kind; whether ours costs at most 15 % more than ``MixMonitor`` alone."""
    blocks, seconds = (4, 15.0) if full else (2, 6.0)
    cpu: dict[str, list[float]] = {kind: [] for kind in KINDS}
    service: list[float] = []
    async with rig(TALKS, talk_s=(0.0, 0.0), dialplan=PEER_DIALPLAN) as running:
        await running.bank.given_phone("any", talk=0, tone=1200)
        for _ in range(blocks):
            for kind in KINDS:
                pbx, own = await _block(running, kind, seconds)
                cpu[kind].append(pbx)
                if kind == "recorded":
                    service.append(own)
    heading(
        "recording_cost", f"CPU of Asterisk a conversation, {TALKS} at once, {blocks} blocks of {seconds:.0f} s each"
    )
    for kind in KINDS:
        print(
            f"   {kind:9}: {100 * mean(cpu[kind]):.2f} % of a core ({', '.join(f'{100 * one:.2f}' for one in cpu[kind])})"
        )
    print(f"   the service beside recorded ones, joining and encrypting included: {100 * mean(service):.2f} %")
    ratio = mean(cpu["recorded"]) / mean(cpu["peer"])
    return verdict("recorded by Nobat / MixMonitor alone", ratio, f"<= {GOAL:.2f}", ratio <= GOAL)


async def _block(running: Rig, kind: str, seconds: float) -> tuple[float, float]:
    """CPU seconds a second and conversation, of Asterisk while they talk, of the service until it has done its work on them."""
    recording = {"mode": "always" if kind == "recorded" else "never"}
    (await running.api.patch("/v1/queues/sales", json={"recording": recording})).raise_for_status()
    for number in range(101, 101 + TALKS):
        await running.bank.call(f"9{number}" if kind == "peer" else OURS, tone=440)
    await running.until(lambda: _talk(running))
    await asyncio.sleep(SETTLE_S)
    before, own = running.pbx_cpu(), running.service_cpu()
    await asyncio.sleep(seconds)
    spent = (running.pbx_cpu() - before) / seconds / TALKS
    await running.quiet()
    await running.until(lambda: _kept(running))
    return spent, (running.service_cpu() - own) / seconds / TALKS


async def _talk(running: Rig) -> bool:
    client = await running.pbx.ami()
    bridged = sum(bool(one["BridgeID"]) for one in await client.list("Status"))
    await client.close()
    return bridged == 2 * TALKS


async def _kept(running: Rig) -> bool:
    """Whether nothing waits to be encrypted."""
    items = (await running.get("/v1/recordings?state=open"))["items"]
    return not items
