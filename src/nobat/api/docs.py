"""``/docs``: the OpenAPI document as one page, made here.

No script and nothing from elsewhere: it works in a network without internet access and under a content security policy that
allows neither.
"""

import json
from html import escape
from typing import Any

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
h2{margin-top:2.5rem;border-bottom:1px solid #ccc}code,pre{font-family:ui-monospace,monospace;font-size:.9em}
details{border:1px solid #ddd;border-radius:6px;margin:.5rem 0;padding:.4rem .8rem}summary{cursor:pointer}
.m{display:inline-block;min-width:4.5rem;font-weight:700}.GET{color:#05661d}.POST{color:#7a4b00}.PUT,.PATCH{color:#0b4a8f}
.DELETE{color:#a00}table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2rem .6rem;
border-bottom:1px solid #eee}pre{background:#f6f6f6;padding:.6rem;overflow-x:auto}.d{color:#555}
@media(prefers-color-scheme:dark){body{background:#151515;color:#ddd}pre{background:#222}details{border-color:#444}.d{color:#aaa}
.GET{color:#6fce86}.POST{color:#e0b060}.PUT,.PATCH{color:#7ab2f0}.DELETE{color:#f08080}td,th{border-color:#333}}
"""


def page(openapi: dict[str, Any]) -> str:
    """The whole page."""
    operations: dict[str, list[str]] = {}
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            tag = operation.get("tags", ["other"])[0]
            operations.setdefault(tag, []).append(_operation(path, method.upper(), operation))
    schemas = openapi.get("components", {}).get("schemas", {})
    body = [f"<h1>{escape(openapi['info']['title'])}</h1><p>{escape(openapi['info']['description'])}</p>"]
    body.append('<p>For programs: <a href="/openapi.json">openapi.json</a></p>')
    for tag, parts in operations.items():
        body += [f"<h2>{escape(tag)}</h2>", *parts]
    body.append("<h2>bodies</h2>")
    body += [_schema(name, schemas[name]) for name in sorted(schemas)]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(openapi['info']['title'])}</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parts = [
        f'<details id="{escape(operation.get("operationId", ""))}"><summary><span class="m {method}">{method}</span> '
        f"<code>{escape(path)}</code> <span class=d>{escape(operation.get('description', ''))}</span></summary>"
    ]
    if parameters := operation.get("parameters"):
        rows = "".join(
            f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td><td>{_kind(one['schema'])}</td>"
            f"<td>{escape(one.get('description', ''))}</td></tr>"
            for one in parameters
        )
        parts.append(f"<table><tr><th>parameter</th><th>in</th><th>type</th><th></th></tr>{rows}</table>")
    if body := operation.get("requestBody"):
        parts.append(f"<p>Body: {_content(body['content'])}</p>")
    rows = "".join(
        f"<tr><td>{escape(status)}</td><td>{_content(one.get('content', {}))}</td><td>{escape(one['description'])}</td></tr>"
        for status, one in operation["responses"].items()
    )
    parts += [f"<pre>{escape(one['source'])}</pre>" for one in operation.get("x-codeSamples", ())]
    parts.append(f"<table><tr><th>answer</th><th>body</th><th></th></tr>{rows}</table></details>")
    return "".join(parts)


def _content(content: dict[str, Any]) -> str:
    return " ".join(_kind(one["schema"]) for one in content.values() if one.get("schema"))


def _schema(name: str, schema: dict[str, Any]) -> str:
    if "enum" in schema:
        values = ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
        return f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{values}</p>'
    required = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code>{' *' if field in required else ''}</td><td>{_kind(one)}</td>"
        f"<td>{escape(one.get('description', ''))}{_example(one)}</td></tr>"
        for field, one in schema.get("properties", {}).items()
    )
    text = f'<p class="d">{escape(schema.get("description", ""))}</p>'
    return f'<h3 id="{escape(name)}">{escape(name)}</h3>{text}<table>{rows}</table>'


def _example(schema: dict[str, Any]) -> str:
    examples = schema.get("examples")
    return (
        f' <span class="d">e.g. <code>{escape(json.dumps(examples[0], ensure_ascii=False))}</code></span>'
        if examples
        else ""
    )


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words, with a link to what it refers to."""
    if reference := schema.get("$ref"):
        name = escape(reference.rsplit("/", 1)[1])
        return f'<a href="#{name}">{name}</a>'
    if choices := schema.get("anyOf"):
        return " or ".join(_kind(one) for one in choices)
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if "enum" in schema or "const" in schema:
        return " ".join(f"<code>{escape(str(value))}</code>" for value in schema.get("enum", [schema.get("const")]))
    limits = [f"{word} {schema[key]}" for key, word in _LIMITS.items() if key in schema]
    return escape(", ".join([schema.get("format") or schema.get("type", "any"), *limits]))


_LIMITS = {
    "minimum": "≥",
    "exclusiveMinimum": ">",
    "maximum": "≤",
    "exclusiveMaximum": "<",
    "maxLength": "at most",
    "pattern": "like",
}
