"""The routes for people: one page made from the OpenAPI document, without scripts and without a request to anywhere."""

import base64
import hashlib
from html import escape
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse

from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=CheckedRoute)

_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent) }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1.5rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem; display: block; overflow-x: auto }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line) }
code { font-family: ui-monospace, monospace; font-size: .92em } summary { cursor: pointer } .method { font-weight: 650 }
"""
_BOUNDS = {"minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<", "maxLength": "length ≤", "maxItems": "items ≤"}

Schema = dict[str, Any]

# The page's own style, and nothing else.
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@router.operation("", Operation("GET", "/openapi.json", "read", alone="says what can be asked"))
async def read_description(request: Request) -> JSONResponse:
    """Return what can be asked, for machines."""
    return JSONResponse(request.app.openapi())


@router.operation("", Operation("GET", "/docs", "read", alone="says what can be asked"), response_class=HTMLResponse)
async def show_documentation(request: Request) -> HTMLResponse:
    """Return the page."""
    page = render(request.app.openapi())
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})


def render(document: Schema) -> str:
    """Return the OpenAPI ``document`` as one HTML page."""
    info = document["info"]
    parts, models = [], []
    for path, method, operation in ((path, method, operation) for path, methods in document["paths"].items() for method, operation in methods.items()):
        answers = [(status, answer) for status, answer in operation["responses"].items() if status < "400"]
        rows = [("body", _content(operation["requestBody"]))] if "requestBody" in operation else []
        rows += [(f"answer {status}", _content(answer)) for status, answer in answers]
        rows += [(f"{parameter['name']} ({parameter['in']})", _kind(parameter["schema"])) for parameter in operation.get("parameters", [])]
        parts.append(
            f'<h2><span class="method">{method.upper()}</span> <code>{escape(path)}</code></h2>'
            f"<p>{escape(operation.get('summary', ''))}. {escape(operation.get('description', ''))}</p>{_table(rows)}"
        )
    for name, schema in sorted(document.get("components", {}).get("schemas", {}).items()):
        required, summary, fields = schema.get("required", []), str(schema.get("description", "")).partition("\n")[0], []
        for field, inner in schema.get("properties", {}).items():
            notes = [f"{sign} {part[bound]}" for part in (inner, *inner.get("anyOf", [])) for bound, sign in _BOUNDS.items() if bound in part]
            notes += [f"default {inner['default']}"] if inner.get("default") not in (None, {}, []) else []
            notes += [inner["description"]] if inner.get("description") else []
            fields.append((f"{field}{'' if field in required else ' (optional)'}", "; ".join([_kind(inner), *map(escape, notes)])))
        models.append(f'<details id="{escape(name)}"><summary><code>{escape(name)}</code> {escape(summary)}</summary>{_table(fields)}</details>')
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])}: the gateway</title><style>{_STYLE}</style>"
        f"<h1>{escape(info['title'])}</h1><p>{escape(info.get('summary', ''))} "
        f'For machines: <a href="/openapi.json">openapi.json</a>.</p>{"".join(parts)}<h2>Messages</h2>{"".join(models)}</html>'
    )


def _content(part: Schema) -> str:
    return " or ".join(_kind(content["schema"]) for content in part.get("content", {}).values() if content.get("schema")) or "text"


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return " or ".join(_kind(choice) for choice in choices)
    if "enum" in schema:
        return " | ".join(escape(str(value)) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return escape(str(schema.get("format") or schema.get("const") or schema.get("type", "any")))


def _table(rows: list[tuple[str, str]]) -> str:
    return f"<table>{''.join(f'<tr><th><code>{escape(name)}</code></th><td>{what}</td></tr>' for name, what in rows)}</table>" if rows else ""
