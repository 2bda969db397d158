"""A complete plan request in bytes: the form in which it is stored and fingerprinted.

Long series stand as numbers behind the JSON of the rest: as digits they were nineteen twentieths
of it, and took twice as long to write, compress and hash.
"""

from functools import reduce
from operator import getitem
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json, to_json

from luna.contracts.plan.request import SCENARIO_DIGITS, OutlookMessage, PlanRequest
from luna.energy.timeline import FloatArray

Fields = dict[str, Any]

_ENDINGS = ("_kwh", "_price", "_c")
_LISTED = [name for name in OutlookMessage.model_fields if name.endswith(_ENDINGS)]
_LISTED.remove("heat_demand_kwh")
_SCENARIOS = ("scenarios", "errors")
_SCALE = 10.0**SCENARIO_DIGITS
# Where the rest of a request names the series that follow.
_SERIES = "series"


def write_inputs(request: PlanRequest) -> bytes:
    """Return a complete request as ``parse_inputs`` reads it.

    It is the JSON without long series, and these as numbers, one after the other.
    """
    arrays: dict[tuple[str, ...], NDArray[Any]] = {}
    left_out: dict[str, Any] = {}
    if request.outlook is not None:
        arrays, left_out = _take_series(request.outlook)
    excluded = {"outlook": left_out} if left_out else None
    head = request.model_dump_json(by_alias=True, exclude=excluded)
    layout = to_json([(path, array.dtype.str, array.shape) for path, array in arrays.items()])
    opened = head.encode()[:-1]
    series = b',"' + _SERIES.encode() + b'":' + layout + b"}\n"
    return b"".join([opened, series, *map(np.ndarray.tobytes, arrays.values())])


def _take_series(
    outlook: OutlookMessage,
) -> tuple[dict[tuple[str, ...], NDArray[Any]], dict[str, Any]]:
    """Return the long series by their paths, and the fields that they are left out of."""
    arrays: dict[tuple[str, ...], NDArray[Any]] = {}
    left_out: dict[str, Any] = {}
    for name in _LISTED:
        values = getattr(outlook, name)
        if values is not None:
            arrays[name,] = _shorten(np.array(values, dtype=np.float64))
            left_out[name] = True
    for kind in _SCENARIOS:
        scenarios = getattr(outlook, kind)
        if scenarios:
            series = scenarios.by_path
            left_out[kind] = set(series)
            for name, values in series.items():
                arrays[kind, name] = _shorten(values)
    return arrays, left_out


def parse_inputs(written: bytes) -> Fields:
    """Return the fields of a complete request.

    As JSON alone they may be written as well.
    """
    head, _, body = written.partition(b"\n")
    document: Fields = from_json(head)
    first = 0
    for path, kind, shape in document.pop(_SERIES, ()):
        count = int(np.prod(shape))
        values = np.frombuffer(body, dtype=kind, count=count, offset=first).reshape(shape)
        first += values.nbytes
        into = reduce(getitem, path[:-1], document["outlook"])
        last = path[-1]
        into[last] = (values if values.dtype.kind == "f" else values / _SCALE).tolist()
    return document


def _shorten(array: FloatArray) -> NDArray[Any]:
    """Return numbers as they are, or as whole ones where that loses nothing.

    Whole ones count the last digit of scenarios, and say the same to the last bit.
    """
    scaled = np.rint(array * _SCALE)
    most = np.abs(scaled).max(initial=0.0)
    if most > np.iinfo(np.int32).max:
        return array
    whole: NDArray[Any] = scaled.astype(np.int16 if most <= np.iinfo(np.int16).max else np.int32)
    # By their bits: a zero with a minus is no whole number.
    return whole if (whole / _SCALE).tobytes() == array.tobytes() else array
