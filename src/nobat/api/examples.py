"""One example of each operation, as a line for a shell: in the OpenAPI document, on ``/docs``, and run by a test.

``$NOBAT`` is the service's address and ``$TOKEN`` a token; what else begins with a dollar is an id that another operation gave. Put
into the document by ``nobat.api.application``; a new operation without an example fails ``tests/service/test_examples.py``.
"""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Example:
    """``path`` is the operation's own with its parameters filled in, ``body`` is sent as JSON."""

    path: str
    body: dict[str, Any] | None = None
    save_as: str | None = None
    token: bool = True
    stream: bool = False
    headers: tuple[str, ...] = ()

    def shell(self, method: str) -> str:
        """The line, and the body below it if a shell has to fill something into it."""
        words = ["curl", *(["-N"] if self.stream else []), *([f"-X {method}"] if method != "GET" else [])]
        words.append(f'"$NOBAT{self.path}"')
        words += ['-H "Authorization: Bearer $TOKEN"'] if self.token else []
        words += [f'-H "{one}"' for one in self.headers]
        words += [f"-o {self.save_as}"] if self.save_as is not None else []
        if self.body is None:
            return " ".join(words)
        sent = json.dumps(self.body, ensure_ascii=False)
        if "$" in sent:
            return " ".join([*words, f"--json @- <<END\n{sent}\nEND"])
        return " ".join([*words, f"--json '{sent}'"])


QUEUE = {
    "id": "billing",
    "number": "8100",
    "name": "Billing",
    "ring_s": 15,
    "service_level": {"target_s": 20, "ratio": 0.8},
}
AGENT = {
    "id": "201",
    "name": "Mina",
    "device": "PJSIP/agent-201",
    "queues": ["sales"],
    "skills": {"english": 50},
    "pin": "4711",
}
MONTH = "from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z"

EXAMPLES: dict[str, Example] = {
    "healthz": Example("/healthz", token=False),
    "readyz": Example("/readyz", token=False),
    "metrics": Example("/metrics", token=False),
    "listQueues": Example("/v1/queues"),
    "createQueue": Example("/v1/queues", QUEUE),
    "getQueue": Example("/v1/queues/sales"),
    "changeQueue": Example("/v1/queues/sales", {"ring_s": 20, "strategy": "longest_idle"}),
    "getLine": Example("/v1/queues/sales/line?limit=50"),
    "getQueueStats": Example("/v1/queues/sales/stats?window=15m"),
    "closeQueue": Example("/v1/queues/support/closing", {}),
    "openQueue": Example("/v1/queues/support/closing"),
    "deleteQueue": Example("/v1/queues/billing"),
    "listAgents": Example("/v1/agents"),
    "createAgent": Example("/v1/agents", AGENT),
    "getAgent": Example("/v1/agents/101"),
    "getAgentHistory": Example("/v1/agents/101/history"),
    "whyIdle": Example("/v1/agents/101/why-idle"),
    "changeAgent": Example("/v1/agents/101", {"skills": {"english": 80}}),
    "chooseStatus": Example("/v1/agents/102/status", {"status": "break", "reason": "lunch"}),
    "endWrapUp": Example("/v1/agents/103/wrap-up", {"disposition": "sold", "notes": "calls again in May"}),
    "deleteAgent": Example("/v1/agents/201"),
    "listBreakReasons": Example("/v1/break-reasons"),
    "listBreakRequests": Example("/v1/break-requests"),
    "approveBreak": Example("/v1/break-requests/102/approve"),
    "refuseBreak": Example("/v1/break-requests/102/refuse"),
    "withdrawBreak": Example("/v1/break-requests/102"),
    "listCalls": Example("/v1/calls?state=waiting&state=talking&queue=sales"),
    "getCall": Example("/v1/calls/$CALL"),
    "getCallHistory": Example("/v1/calls/$CALL/history"),
    "whyCall": Example("/v1/calls/$CALL/why"),
    "changeCall": Example("/v1/calls/$CALL", {"disposition": "sold", "notes": "calls again in May"}),
    "hangUpCall": Example("/v1/calls/$CALL/hangup"),
    "offerCall": Example("/v1/calls/$WAITING/offer", {"agent": "101"}),
    "transferCall": Example("/v1/calls/$CALL/transfer", {"to": {"queue": "support"}}),
    "consultCall": Example("/v1/calls/$CALL/consult", {"to": {"agent": "102"}}),
    "changeConsult": Example("/v1/calls/$CALL/consult", {"action": "cancel"}),
    "listCallers": Example("/v1/callers?limit=100"),
    "putCaller": Example("/v1/callers/+982112345678", {"name": "Arash", "segment": "vip", "priority": 5}),
    "getCaller": Example("/v1/callers/+982112345678"),
    "deleteCaller": Example("/v1/callers/+982112345678"),
    "eraseNumber": Example("/v1/erasures", {"number": "+982112345678"}),
    "listVoicemails": Example("/v1/voicemails?queue=sales"),
    "getVoicemail": Example("/v1/voicemails/$VOICEMAIL"),
    "hearVoicemail": Example("/v1/voicemails/$VOICEMAIL/audio", save_as="message.wav"),
    "deleteVoicemail": Example("/v1/voicemails/$VOICEMAIL"),
    "getSla": Example(f"/v1/sla?queue=sales&interval=hour&{MONTH}"),
    "reportQueues": Example(f"/v1/reports/queues?interval=day&zone=Asia/Tehran&{MONTH}"),
    "reportAgents": Example(f"/v1/reports/agents?agent=101&format=csv&{MONTH}", save_as="agents.csv"),
    "reportCalls": Example(f"/v1/reports/calls?queue=sales&format=xlsx&language=fa&{MONTH}", save_as="calls.xlsx"),
    "reportSkills": Example(f"/v1/reports/skills?interval=day&{MONTH}"),
    "reportSegments": Example(f"/v1/reports/segments?interval=day&{MONTH}"),
    "reportCallbacks": Example(f"/v1/reports/callbacks?queue=sales&interval=week&{MONTH}"),
    "reportEachCallback": Example(f"/v1/reports/callbacks/each?queue=sales&{MONTH}"),
    "listMails": Example("/v1/mails"),
    "sendReport": Example("/v1/mails/daily"),
    "streamEvents": Example("/v1/events?queue=sales&kind=CallQueued", stream=True),
    "controlRecording": Example("/v1/calls/$CALL/recording", {"action": "pause"}),
    "listRecordings": Example("/v1/recordings?queue=sales"),
    "getRecording": Example("/v1/recordings/$RECORDING"),
    "hearRecording": Example("/v1/recordings/$RECORDING/audio", save_as="call.wav", headers=("Range: bytes=0-",)),
    "eraseRecording": Example("/v1/recordings/$RECORDING"),
    "eraseRecordingsOf": Example("/v1/recordings/erase", {"number": "+982112345678"}),
    "startSupervision": Example(
        "/v1/supervisions", {"agent": "101", "device": "PJSIP/supervisor-202", "mode": "listen"}
    ),
    "listSupervisions": Example("/v1/supervisions"),
    "getSupervision": Example("/v1/supervisions/$SUPERVISION"),
    "changeSupervision": Example("/v1/supervisions/$SUPERVISION", {"mode": "whisper"}),
    "takeOver": Example("/v1/supervisions/$SUPERVISION/take-over"),
    "handBack": Example("/v1/supervisions/$SUPERVISION/hand-back", {}),
    "stopSupervision": Example("/v1/supervisions/$SUPERVISION"),
    "askForHelp": Example("/v1/help-requests", {"agent": "101"}),
    "listHelpRequests": Example("/v1/help-requests"),
    "withdrawHelp": Example("/v1/help-requests/101"),
    "createCallback": Example(
        "/v1/callbacks",
        {
            "queue": "sales",
            "number": "+989121110000",
            "due_from": "$TOMORROW",
            "due_until": "$DAY_AFTER",
            "name": "Arash",
        },
    ),
    "listCallbacks": Example("/v1/callbacks?queue=sales"),
    "getCallback": Example("/v1/callbacks/$CALLBACK"),
    "changeCallback": Example("/v1/callbacks/$CALLBACK", {"priority": 5}),
    "cancelCallback": Example("/v1/callbacks/$CALLBACK"),
    "putOptOut": Example("/v1/opt-outs/+989121110001"),
    "listOptOuts": Example("/v1/opt-outs"),
    "deleteOptOut": Example("/v1/opt-outs/+989121110001"),
}
"""By the operation's id."""


def add_examples(document: dict[str, Any]) -> None:
    """Give each operation of the document its example: the line for a shell, and the body."""
    for methods in document["paths"].values():
        for method, operation in methods.items():
            example = EXAMPLES.get(operation["operationId"])
            if example is None:
                continue
            operation["x-codeSamples"] = [{"lang": "shell", "source": example.shell(method.upper())}]
            if example.body is not None:
                operation["requestBody"]["content"]["application/json"]["example"] = example.body
