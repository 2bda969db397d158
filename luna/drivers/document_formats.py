"""Read and write the documents of a device in the format that its profile declares."""

import json
from typing import Any

from luna.drivers.json_values import parse_document, read_code
from luna.drivers.sml import encode_sml, parse_sml
from luna.drivers.transports import DocumentFormat


def read_as(content: bytes | bytearray, kind: DocumentFormat) -> Any:
    """Return the document that a device sent.

    Raises:
        ValueError: it is of another format, or broken.
    """
    match kind:
        case "sml":
            return parse_sml(bytes(content))
        case "text":
            return read_code(content.decode().strip())
        case "json":
            return parse_document(content)


def write_as(document: Any, kind: DocumentFormat) -> bytes:
    """Return a document as a device sends it."""
    if kind == "sml":
        return encode_sml(document)
    if kind == "text" and isinstance(document, str):
        return document.encode()
    return json.dumps(document).encode()
