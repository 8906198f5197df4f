"""What bad input gets: always a problem document with a stable slug, never a trace, and nothing reaches the PBX."""

import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nobat.auth import Role
from tests.support.office import Office, Person

CONTROL = ["\r\nAction: Originate", "a\nb", "a\rb", "\0", "\x1b[31m", "\u2028", "\u202e", "tab\there", "\x7f", "\x85"]


async def problem(person: Person, method: str, path: str, status: int, slug: str, **options: Any) -> Any:
    response = await person.ask(method, path, **options)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["slug"], body["type"]) == (status, slug, f"urn:nobat:problem:{slug}")
    return body


@pytest.mark.parametrize(
    ("method", "path", "slug"),
    [
        ("GET", "/v1/queues/nope", "unknown_queue"),
        ("GET", "/v1/queues/nope/line", "unknown_queue"),
        ("GET", "/v1/queues/nope/stats", "unknown_queue"),
        ("DELETE", "/v1/queues/nope", "unknown_queue"),
        ("GET", "/v1/agents/nope", "unknown_agent"),
        ("DELETE", "/v1/agents/nope", "unknown_agent"),
        ("GET", "/v1/calls/nope", "unknown_call"),
        ("POST", "/v1/calls/nope/hangup", "unknown_call"),
        ("GET", "/v1/nothing/here", "not_found"),
        ("GET", "/nothing", "not_found"),
    ],
)
async def test_unknown_things_are_404_with_their_slug(counter: Office, method: str, path: str, slug: str) -> None:
    await problem(await counter.admin(), method, path, 404, slug)


async def test_wrong_method_is_405(counter: Office) -> None:
    response = await (await counter.admin()).ask("POST", "/v1/queues/sales")
    assert (response.status_code, response.json()["slug"]) == (405, "method_not_allowed")
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"id": "new"}, "number"),
        ({"id": "123", "number": "77"}, "id"),
        ({"id": "New", "number": "77"}, "id"),
        ({"id": "a" * 41, "number": "77"}, "id"),
        ({"id": "new", "number": "12a"}, "number"),
        ({"id": "new", "number": "1" * 16}, "number"),
        ({"id": "new", "number": 8000}, "number"),
        ({"id": "new", "number": "77", "ring_s": 0}, "ring_s"),
        ({"id": "new", "number": "77", "ring_s": "15"}, "ring_s"),
        ({"id": "new", "number": "77", "ring_s": True}, "ring_s"),
        ({"id": "new", "number": "77", "wrap_up_s": -1}, "wrap_up_s"),
        ({"id": "new", "number": "77", "service_level": {"ratio": 1.5}}, "service_level.ratio"),
        ({"id": "new", "number": "77", "service_level": {"target": 1}}, "service_level.target"),
        ({"id": "new", "number": "77", "timezone": "Mars/Olympus"}, "timezone"),
        ({"id": "new", "number": "77", "timezone": "../../etc/passwd"}, "timezone"),
        ({"id": "new", "number": "77", "strategy": "loudest"}, "strategy"),
        ({"id": "new", "number": "77", "skills": {"english": 0}}, "skills.english"),
        ({"id": "new", "number": "77", "role": "admin"}, "role"),
        ({"id": "new", "number": "77", "name": "a" * 101}, "name"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
    ],
)
async def test_a_wrong_queue_is_422_and_names_the_field(counter: Office, body: Any, field: str) -> None:
    admin = await counter.admin()
    response = await admin.ask("POST", "/v1/queues", json=body)
    assert response.status_code == 422, response.text
    assert field in [error["field"] for error in response.json()["errors"]]
    assert len((await admin.get("/v1/queues"))["items"]) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"id": "2 1"}, "id"),
        ({"id": "201", "device": "PJSIP/x&PJSIP/y"}, "device"),
        ({"id": "201", "device": "PJSIP/x/sip:evil@example.org"}, "device"),
        ({"id": "201", "device": "Local/x@acd-callback"}, "device"),
        ({"id": "201", "queues": ["nope"]}, "queues"),
        ({"id": "201", "pin": "12"}, "pin"),
        ({"id": "201", "pin": "abcd"}, "pin"),
        ({"id": "201", "device": "PJSIP/x", "pbx": "elsewhere"}, "pbx"),
        ({"id": "201", "skills": {"english": 1.5}}, "skills.english"),
    ],
)
async def test_a_wrong_agent_is_422_and_names_the_field(counter: Office, body: Any, field: str) -> None:
    response = await (await counter.admin()).ask("POST", "/v1/agents", json=body)
    assert response.status_code == 422, response.text
    assert field in [error["field"] for error in response.json()["errors"]]


@pytest.mark.parametrize("raw", [b"{", b"", b"\xff\xfe", b'{"status": "available"', b"[" * 50_000, b'{"a":NaN}'])
async def test_a_body_that_is_no_json_is_422(counter: Office, raw: bytes) -> None:
    admin = await counter.admin()
    response = await admin.ask(
        "PUT", "/v1/agents/101/status", content=raw, headers={"content-type": "application/json"}
    )
    assert response.status_code == 422, response.text
    assert response.json()["errors"]


@pytest.mark.parametrize("text", CONTROL)
async def test_control_characters_are_refused_everywhere_and_nothing_is_sent(counter: Office, text: str) -> None:
    admin = await counter.admin()
    call = counter.pbx.caller("8000")
    await counter.settled()
    before = list(counter.pbx.requests)
    asks: list[tuple[str, str, Any]] = [
        ("POST", "/v1/queues", {"id": "new", "number": "77", "name": text}),
        ("POST", "/v1/queues", {"id": text, "number": "77"}),
        ("POST", "/v1/queues", {"id": "new", "number": f"1{text}"}),
        ("PATCH", "/v1/queues/sales", {"name": text}),
        ("POST", "/v1/agents", {"id": "201", "name": text}),
        ("POST", "/v1/agents", {"id": f"201{text}"}),
        ("POST", "/v1/agents", {"id": "201", "device": f"PJSIP/a{text}"}),
        ("PUT", "/v1/agents/101/status", {"status": "break", "reason": text}),
        ("PUT", "/v1/agents/101/status", {"status": "available", "device": f"PJSIP/agent-101{text}"}),
        ("PATCH", f"/v1/calls/{call}", {"notes": text}),
        ("PATCH", f"/v1/calls/{call}", {"disposition": text}),
        ("POST", "/v1/agents/101/wrap-up", {"notes": text}),
    ]
    for method, path, body in asks:
        response = await admin.ask(method, path, json=body)
        assert response.status_code == 422, (method, path, body, response.text)
    for path in ("/v1/agents/{}", "/v1/queues/{}", "/v1/calls/{}", "/v1/calls/{}/hangup"):
        method = "POST" if path.endswith("hangup") else "GET"
        response = await admin.ask(method, path.format("".join(f"%{byte:02x}" for byte in f"a{text}".encode())))
        assert response.status_code == 422, path
    assert counter.pbx.requests == before


async def test_no_hang_up_by_pattern_or_prefix(office: Office) -> None:
    """Asterisk would take ``/^.*$/`` for all channels; a call is known exactly or not at all."""
    admin = await office.admin()
    call = office.pbx.caller("8000")
    await office.settled()
    for name in ("%2F%5E.*%24%2F", call[:-1], f"{call}*", "pbx1-"):
        assert (await admin.ask("POST", f"/v1/calls/{name}/hangup")).status_code == 404
    assert office.pbx.requests == []


@pytest.mark.parametrize("size", [70_000, 1_000_000])
async def test_a_body_too_large_is_413(office: Office, size: int) -> None:
    admin = await office.admin()
    big = b'{"name":"' + b"x" * size + b'"}'
    headers = {"content-type": "application/json"}
    await problem(admin, "PATCH", "/v1/queues/sales", 413, "body_too_large", content=big, headers=headers)

    async def pieces() -> Any:
        for start in range(0, len(big), 8192):
            yield big[start : start + 8192]

    await problem(admin, "PATCH", "/v1/queues/sales", 413, "body_too_large", content=pieces(), headers=headers)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "cursor=!", "cursor=W10", "state=asleep", "from=today"]
)
async def test_wrong_parameters_are_422(counter: Office, query: str) -> None:
    response = await (await counter.admin()).ask("GET", f"/v1/calls?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == query.partition("=")[0]


async def test_an_error_of_ours_tells_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = await office.admin()
    monkeypatch.setattr(office.app.engine, "read", lambda _view: 1 / 0)
    response = await admin.ask("GET", "/v1/agents")
    monkeypatch.undo()
    assert (response.status_code, response.json()["slug"]) == (500, "internal_error")
    assert "division" not in response.text


async def test_answers_carry_security_headers(counter: Office) -> None:
    for path in ("/healthz", "/v1/queues", "/nothing", "/docs"):
        headers = (await counter.client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_text_breaks_anything(office: Office, data: st.DataObject) -> None:
    """Whatever is sent, the answer is a good one or a problem document, and no control character passes."""
    supervisor = await office.person(Role.ADMIN)
    fields = ("id", "number", "name", "device", "pin", "status", "reason", "notes", "disposition", "skills", "queues")
    text = data.draw(st.text(max_size=40) | st.text(string.printable, max_size=40))
    body = {data.draw(st.sampled_from(fields)): text, data.draw(st.sampled_from(fields)): data.draw(json_values)}
    method, path = data.draw(
        st.sampled_from(
            [
                ("POST", "/v1/queues"),
                ("PATCH", "/v1/queues/sales"),
                ("POST", "/v1/agents"),
                ("PATCH", "/v1/agents/103"),
                ("PUT", "/v1/agents/103/status"),
                ("POST", "/v1/agents/103/wrap-up"),
            ]
        )
    )
    response = await supervisor.ask(method, path, json=body)
    assert response.status_code in {200, 201, 409, 422}, response.text
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["slug"]
    found = await supervisor.ask("GET", "/v1/agents", params={"cursor": text})
    assert found.status_code in {200, 422}
