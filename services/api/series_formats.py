"""A series as JSON, CSV or Arrow: the same rows in each, what is unknown empty."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import nanoarrow
import numpy as np
from nanoarrow.ipc import StreamWriter
from pydantic_core import to_json

from luna.history import Answer, write_instants
from luna.timeline import FloatArray, InstantArray

MEDIA_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8", "arrow": "application/vnd.apache.arrow.stream"}


def write_json(answer: Answer, frame: Mapping[str, Any]) -> bytes:
    """Return ``frame`` with the answer's rows, each an object."""
    # NaN leaves as null; so does nothing else, for what is stored is finite.
    return to_json({**frame, "rows": [dict(zip(answer.columns(), row, strict=True)) for row in _rows(answer)]}, inf_nan_mode="null")


def write_csv(answers: Iterator[Answer]) -> Iterator[bytes]:
    """Yield a header line, then the rows of each answer; a cell that is unknown is empty."""
    for place, answer in enumerate(answers):
        head = [",".join(answer.columns())] if place == 0 else []
        lines = (",".join("" if cell != cell else str(cell) for cell in row) for row in _rows(answer))  # noqa: PLR0124 - only NaN differs from itself
        yield "\n".join([*head, *lines, ""]).encode()


def write_arrow(answers: Iterator[Answer]) -> Iterator[bytes]:
    """Yield an Arrow IPC stream, one record batch per answer; what is unknown is null. Source: Arrow columnar format, "IPC Streaming Format"."""
    buffer = BytesIO()
    writer = StreamWriter.from_writable(buffer)
    for answer in answers:
        writer.write_array(_batch(answer))
        yield _drain(buffer)
    writer.close()
    yield _drain(buffer)


def _rows(answer: Answer) -> Iterator[tuple[str | float, ...]]:
    columns = [write_instants(answer.starts), answer.values.tolist(), *([] if answer.known is None else [answer.known.tolist()])]
    return zip(*columns, strict=True)


def _batch(answer: Answer) -> Any:
    children = [_instants(answer.starts), _floats(answer.values), *([] if answer.known is None else [_floats(answer.known)])]
    fields = {name: child.schema for name, child in zip(answer.columns(), children, strict=True)}
    return nanoarrow.c_array_from_buffers(nanoarrow.struct(fields), length=answer.starts.size, buffers=[None], children=children)


def _instants(instants: InstantArray) -> Any:
    kind = nanoarrow.timestamp(np.datetime_data(instants.dtype)[0], "UTC")
    return nanoarrow.c_array_from_buffers(kind, length=instants.size, buffers=[None, instants.view(np.int64)])


def _floats(values: FloatArray) -> Any:
    unknown = np.isnan(values)
    validity = np.packbits(~unknown, bitorder="little") if unknown.any() else None
    return nanoarrow.c_array_from_buffers(
        nanoarrow.float64(), length=values.size, buffers=[validity, np.ascontiguousarray(values)], null_count=int(unknown.sum())
    )


def _drain(buffer: BytesIO) -> bytes:
    written = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return written
