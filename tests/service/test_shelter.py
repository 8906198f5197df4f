"""What stands before the interface: too many requests, wrong tokens, slow senders, slow answers, and headers on every answer."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.types import Message

from nobat.api import edge, feed
from nobat.api.throttle import Rate, Throttle
from nobat.auth import Role
from nobat.settings import HttpSettings
from nobat.storage import tokens
from nobat.web import _server
from tests.support.office import Office, Person, until
from tests.support.stream import streaming

EXPECTED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def secured(headers: httpx.Headers) -> bool:
    policy = headers["content-security-policy"]
    return all(headers[name] == value for name, value in EXPECTED.items()) and "default-src 'none'" in policy


@pytest.fixture
async def strict(counter: Office) -> Office:
    """Few requests, few wrong tokens."""
    throttle = authentication(counter)._throttle = Throttle(
        Rate(1.0, 20), Rate(0.5, 5), counter.clock.now, counter.app.metrics.shed
    )
    assert throttle
    return counter


def authentication(office: Office) -> edge.Authentication:
    layer: Any = office.interface
    while not isinstance(layer, edge.Authentication):
        layer = layer._app
    return layer


def at(office: Office, address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(office.interface, client=(address, 1)), base_url="http://nobat"
    )


async def test_one_token_that_asks_too_much_is_told_when_to_come_again(strict: Office) -> None:
    greedy, other = await strict.admin(), await strict.admin()
    seen = [(await greedy.ask("GET", "/v1/queues")).status_code for _ in range(21)]
    assert seen == [200] * 20 + [429]
    refused = await greedy.ask("GET", "/v1/queues")
    assert refused.json()["slug"] == "too_many_requests"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == "1"
    assert secured(refused.headers)
    assert (await other.ask("GET", "/v1/queues")).status_code == 200
    assert (await strict.client.get("/healthz")).status_code == 200
    strict.clock.move(1.5)
    assert (await greedy.ask("GET", "/v1/queues")).status_code == 200
    assert 'acd_requests_shed_total{kind="requests"} 2.0' in (await strict.client.get("/metrics")).text


async def test_an_address_that_guesses_tokens_is_shut_out_and_nobody_else(
    strict: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, late = await strict.admin(), await strict.admin()
    await admin.get("/v1/queues")
    looked: list[str] = []
    find = tokens.find

    async def counted(database: Any, key: str) -> Any:
        looked.append(key)
        return await find(database, key)

    monkeypatch.setattr(tokens, "find", counted)
    async with at(strict, "203.0.113.9") as bad, at(strict, "203.0.113.10") as neighbour:
        seen = [await Person(bad, f"nobat_{n}").ask("GET", "/v1/queues") for n in range(30)]
        assert [one.status_code for one in seen] == [401] * 5 + [429] * 25
        assert int(seen[-1].headers["retry-after"]) == 2
        assert len(looked) == 5, "the others were not even looked at"
        assert (await Person(bad, admin.token).ask("GET", "/v1/queues")).status_code == 200, "who is known passes"
        assert (await Person(bad, late.token).ask("GET", "/v1/queues")).status_code == 429
        assert (await Person(bad, None).ask("GET", "/v1/queues")).status_code == 401
        assert (await Person(neighbour, late.token).ask("GET", "/v1/queues")).status_code == 200
        strict.clock.move(2.5)
        assert (await Person(bad, "nobat_again").ask("GET", "/v1/queues")).status_code == 401


async def test_the_metrics_own_token_cannot_be_guessed_either(strict: Office) -> None:
    service = _api(strict).state.service
    throttle = Throttle(Rate(1.0, 20), Rate(0.5, 5), strict.clock.now, strict.app.metrics.shed)
    object.__setattr__(service, "metrics_token", "right")
    object.__setattr__(service, "throttle", throttle)
    ask = Person(strict.client, "wrong").ask
    assert [(await ask("GET", "/metrics")).status_code for _ in range(6)] == [401] * 5 + [429]


def _api(office: Office) -> Any:
    layer: Any = office.interface
    while not hasattr(layer, "openapi"):
        layer = layer._app
    return layer


async def test_every_answer_carries_the_headers_whatever_it_is(strict: Office) -> None:
    admin = await strict.admin()
    asks: list[tuple[int, str, str, dict[str, Any]]] = [
        (200, "GET", "/healthz", {}),
        (200, "GET", "/docs", {}),
        (200, "GET", "/openapi.json", {}),
        (200, "GET", "/metrics", {}),
        (200, "GET", "/v1/queues", {}),
        (404, "GET", "/v1/queues/nope", {}),
        (404, "GET", "/nothing", {}),
        (405, "DELETE", "/healthz", {}),
        (422, "POST", "/v1/queues", {"json": {}}),
        (413, "POST", "/v1/queues", {"content": b"x" * 70_000}),
        (204, "DELETE", "/v1/agents/103", {}),
    ]
    for status, method, path, options in asks:
        response = await admin.ask(method, path, **options)
        assert response.status_code == status, (path, response.text)
        assert secured(response.headers), path
        assert "server" not in response.headers
        assert "strict-transport-security" not in response.headers
    assert secured((await strict.client.get("/v1/queues")).headers)
    over_tls = await strict.client.get("https://nobat/healthz")
    assert over_tls.headers["strict-transport-security"].startswith("max-age=")


async def test_no_other_site_gets_anything(counter: Office) -> None:
    """No cookies, no token in the address, no permission for another origin: a page elsewhere has nothing to send."""
    admin = await counter.admin()
    evil = {"origin": "https://evil.example"}
    answer = await admin.ask("GET", "/v1/queues", headers=evil)
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "set-cookie" not in answer.headers
    preflight = evil | {"access-control-request-method": "PUT", "access-control-request-headers": "authorization"}
    assert (await counter.client.options("/v1/agents/101/status", headers=preflight)).status_code == 401
    for name in ("token", "access_token"):
        assert (await counter.client.get("/v1/events", params={name: admin.token or ""})).status_code == 401
    assert (await counter.client.get("/v1/queues", headers={"cookie": f"token={admin.token}"})).status_code == 401


async def test_a_body_that_drips_is_408(counter: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = await counter.admin()
    _shorten(counter, "SlowBodies", 0.05)
    blocked = asyncio.Event()

    async def drip() -> AsyncIterator[bytes]:
        yield b'{"name":'
        await blocked.wait()

    app, told = counter.interface, list[Message]()
    pieces = drip()

    async def receive() -> Message:
        return {"type": "http.request", "body": await anext(pieces), "more_body": True}

    async def send(message: Message) -> None:
        told.append(message)

    headers = [(b"authorization", f"Bearer {admin.token}".encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "PATCH", "path": "/v1/queues/sales", "raw_path": b"/v1/queues/sales"}
    scope |= {"query_string": b"", "headers": headers, "scheme": "http", "root_path": "", "client": ("127.0.0.1", 1)}
    scope |= {"http_version": "1.1", "asgi": {"version": "3.0"}, "server": ("nobat", 80)}
    await app(scope, receive, send)
    assert told[0]["status"] == 408
    assert b"body_too_slow" in told[1]["body"]


def _shorten(office: Office, name: str, seconds: float) -> None:
    layer: Any = office.interface
    while type(layer).__name__ != name:
        layer = layer._app
    layer._within_s = seconds


async def test_an_answer_that_takes_too_long_is_given_up(counter: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = await counter.admin()
    await admin.get("/v1/queues")
    _shorten(counter, "SlowAnswers", 0.05)

    async def for_ever(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(counter.app.recorder, "commit", for_ever, raising=False)
    response = await admin.ask("PATCH", "/v1/queues/sales", json={"name": "x"})
    assert (response.status_code, response.json()["slug"]) == (503, "too_slow")
    assert response.headers["retry-after"] == "10"
    async with streaming(counter.interface, admin.token or "") as stream:  # an answer that has begun goes on
        await asyncio.sleep(0.2)
        assert (stream.status, stream.over) == (200, False)


async def test_streams_of_one_token_have_an_end(counter: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_OF_ONE", 2)
    mine, other = await counter.admin(), await counter.admin()
    async with streaming(counter.interface, mine.token or ""), streaming(counter.interface, mine.token or ""):
        refused = await mine.ask("GET", "/v1/events")
        assert (refused.status_code, refused.json()["slug"]) == (409, "too_many_readers")
        async with streaming(counter.interface, other.token or "") as stream:
            assert stream.status == 200
    await until(lambda: counter.app.feed.readers == 0, "nobody reads")
    assert counter.app.feed.readers_of == {}


async def test_a_revoked_token_loses_its_stream_while_nothing_happens(counter: Office) -> None:
    supervisor = await counter.person(Role.SUPERVISOR)
    async with streaming(counter.interface, supervisor.token or "") as stream:
        (mine,) = await tokens.everything(counter.app.database)
        assert await tokens.revoke(counter.app.database, mine.id, counter.clock.now())
        counter.clock.move(5)
        await until(lambda: stream.over, "the stream's end")


# ---------------------------------------------------------------- on the wire


@asynccontextmanager
async def listening(office: Office, headers_s: float = 0.2) -> AsyncIterator[int]:
    """The interface behind a real socket; its port."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        server = _server(office.interface, HttpSettings(body_s=headers_s))
        task = asyncio.create_task(server.serve([one]))
        await server.answers.wait()
        yield one.getsockname()[1]
        server.should_exit = True
        await task


async def test_what_is_no_http_does_not_fill_the_log(counter: Office, capsys: pytest.CaptureFixture[str]) -> None:
    async with listening(counter) as port:
        for _ in range(40):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\x16\x03\x01 no HTTP\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 400")
            writer.close()
            await writer.wait_closed()
    assert capsys.readouterr().err.count("Invalid HTTP request") <= 1


async def test_a_connection_that_never_says_what_it_wants_is_closed(counter: Office) -> None:
    async with listening(counter) as port:
        silent, idle = await asyncio.open_connection("127.0.0.1", port)
        slow, writer = await asyncio.open_connection("127.0.0.1", port)
        again, asking = await asyncio.open_connection("127.0.0.1", port)
        asking.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await again.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        asking.write(b"GET /heal")  # the second request of a connection never ends
        for line in (b"GET / HTTP/1.1\r\n", b"x-more: 1\r\n", b"x-more: 2\r\n"):
            writer.write(line)
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            assert await silent.read() == b""
            assert await slow.read() == b""
            await again.read()
        for one in (idle, writer, asking):
            one.close()
            await one.wait_closed()


async def test_what_is_no_http_gets_a_problem_and_the_headers(counter: Office) -> None:
    async with listening(counter, 5.0) as port:
        for sent in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            answer = (await reader.read()).decode()
            head, _, body = answer.partition("\r\n\r\n")
            assert head.startswith("HTTP/1.1 400"), answer
            assert '"malformed_request"' in body
            assert "x-content-type-options: nosniff" in head.lower()
            writer.close()
            await writer.wait_closed()


async def test_only_a_trusted_proxy_says_who_asks(counter: Office) -> None:
    """``X-Forwarded-For`` counts if it comes from a proxy of the settings, and its last word only."""
    throttle = authentication(counter)._throttle = Throttle(
        Rate(1.0, 20), Rate(0.5, 2), counter.clock.now, counter.app.metrics.shed
    )
    async with listening(counter, 5.0) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for n in range(3):
            forwarded = {"x-forwarded-for": f"10.9.9.{n}, 198.51.100.7", "authorization": f"Bearer wrong{n}"}
            await client.get("/v1/queues", headers=forwarded)
    assert throttle.shut("198.51.100.7") > 0.0
    assert throttle.shut("127.0.0.1") == 0.0
