"""Samples of requests for the API documentation."""

import json
import re
import shlex
from typing import Any
from urllib.parse import quote, urlencode

ADDRESS = "http://127.0.0.1:8080"
_JSON = "application/json"
_FILES = "multipart/form-data"


def write_curl(method: str, path: str, operation: dict[str, Any]) -> str:
    """Return a request of an operation for a shell, with the examples of its parameters and body.

    Args:
        method: of the request.
        path: with parameters in braces.
        operation: as in OpenAPI, with security and examples.
    """
    parameters = operation.get("parameters", [])
    examples = {
        each["name"]: str(each.get("example", each["name"]))
        for each in parameters
        if each["in"] == "path"
    }
    filled = re.sub(
        r"\{(\w+)(?::path)?\}", lambda name: quote(examples.get(name[1], name[1]), safe=""), path
    )
    query = {
        each["name"]: each.get("example", each["name"])
        for each in parameters
        if each["in"] == "query" and each.get("required")
    }
    address = f"{ADDRESS}{filled}?{urlencode(query)}" if query else f"{ADDRESS}{filled}"
    words = ["curl", *([] if method == "get" else ["-X", method.upper()]), shlex.quote(address)]
    lines = [" ".join(words)]
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $LUNA_KEY"')
    for each in parameters:
        if each["in"] == "header" and each.get("required"):
            header = f"{each['name']}: {each.get('example', 'VALUE')}"
            lines.append(f"-H {shlex.quote(header)}")
    content = operation.get("requestBody", {}).get("content", {})
    if _JSON in content:
        body = json.dumps(content[_JSON]["example"], ensure_ascii=False)
        lines += [f"-H 'Content-Type: {_JSON}'", f"-d {shlex.quote(body)}"]
    elif _FILES in content:
        lines += [
            f"-F {name}={'@' if name == 'file' else ''}{value}"
            for name, value in content[_FILES]["example"].items()
        ]
    return " \\\n  ".join(lines)
