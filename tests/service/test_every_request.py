"""Whatever the OpenAPI document allows, and much that it does not: never a fault of ours, never an answer it does not name."""

import re

from nobat.api.application import bare_api, operation_ids
from tests.fuzz.run import document, everybody, everybody_and_everything, run
from tests.support.office import Office

EACH = 10
"""Requests to each operation; ``python -m tests.fuzz`` sends more."""


async def test_no_request_breaks_the_service_and_every_answer_is_documented(counter: Office) -> None:
    report = await run(counter, await everybody_and_everything(counter), EACH, start=1)
    assert not report.wrong, "\n".join([*report.lines(), *report.wrong[:40]])
    assert report.operations.keys() == set(operation_ids(bare_api()))
    assert not [status for status in report.statuses if status >= 500], report.lines()


async def test_methods_that_the_document_does_not_name_are_refused(counter: Office) -> None:
    known = await everybody_and_everything(counter)
    people = await everybody(counter)
    paths = document(counter)["paths"]
    for path in paths:
        asked = path.format(**known)
        named = {method for other, named in paths.items() if _matches(other, asked) for method in named}
        for method in {"get", "put", "post", "patch", "delete", "trace", "propfind"} - named:
            response = await people["admin"].ask(method.upper(), asked, json={})
            assert (response.status_code, response.json()["slug"]) == (405, "method_not_allowed"), (method, path)
            assert set(response.headers["allow"].lower().split(", ")) <= {*named, "head"}, (method, path)


def _matches(template: str, path: str) -> bool:
    """``/v1/recordings/erase`` is also what ``/v1/recordings/{recording}`` may stand for."""
    return re.fullmatch(re.sub(r"\{[a-z_]+\}", "[^/]+", template), path) is not None
