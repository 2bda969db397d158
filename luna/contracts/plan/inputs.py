"""A complete request in bytes: how its fingerprint is taken, and how requests are kept by the thousand.

Long series stand as numbers behind the JSON of the rest: as digits they were nineteen twentieths of it, and took twice as long to write, compress and hash.
"""

from functools import reduce
from operator import getitem
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json, to_json

from luna.contracts.plan.request import PlanRequest
from luna.contracts.plan.state import COURSE_DIGITS, OutlookMessage
from luna.energy.timeline import FloatArray

Fields = dict[str, Any]

_LISTED = tuple(name for name in OutlookMessage.model_fields if name.endswith(("_kwh", "_price", "_c")) and name != "heat_demand_kwh")
_COURSES = {"scenarios": ("load_kwh", "pv_kwh"), "errors": ("load_kwh", "pv_kwh")}
_SCALE = 10.0**COURSE_DIGITS
# Where the rest of a request names the series that follow.
_SERIES = "series"


def write_inputs(request: PlanRequest) -> bytes:
    """Return a complete request as ``parse_inputs`` reads it: its JSON without long series, and these as numbers, one after the other."""
    outlook, arrays, left_out = request.outlook, dict[tuple[str, ...], NDArray[Any]](), dict[str, Any]()
    for name in _LISTED if outlook else ():
        if (values := getattr(outlook, name)) is not None:
            arrays[name,], left_out[name] = _shorten(np.array(values, dtype=np.float64)), True
    for kind, names in _COURSES.items() if outlook else ():
        if courses := getattr(outlook, kind):
            left_out[kind] = set(names)
            for name in names:
                arrays[kind, name] = _shorten(getattr(courses, name))
    head = request.model_dump_json(by_alias=True, exclude={"outlook": left_out} if left_out else None)
    layout = to_json([(path, array.dtype.str, array.shape) for path, array in arrays.items()])
    return b"".join([head.encode()[:-1], b',"', _SERIES.encode(), b'":', layout, b"}\n", *map(np.ndarray.tobytes, arrays.values())])


def parse_inputs(written: bytes) -> Fields:
    """Return the fields of a complete request; as JSON alone they may be written as well."""
    head, _, body = written.partition(b"\n")
    document: Fields = from_json(head)
    first = 0
    for path, kind, shape in document.pop(_SERIES, ()):
        count = int(np.prod(shape))
        values = np.frombuffer(body, dtype=kind, count=count, offset=first).reshape(shape)
        first += values.nbytes
        into, last = reduce(getitem, path[:-1], document["outlook"]), path[-1]
        into[last] = (values if values.dtype.kind == "f" else values / _SCALE).tolist()
    return document


def _shorten(array: FloatArray) -> NDArray[Any]:
    """Return numbers as they are, or as whole ones of the last digit of courses where that says the same to the last bit."""
    scaled = np.rint(array * _SCALE)
    most = np.abs(scaled).max(initial=0.0)
    if most > np.iinfo(np.int32).max:
        return array
    whole: NDArray[Any] = scaled.astype(np.int16 if most <= np.iinfo(np.int16).max else np.int32)
    # By their bits: a zero with a minus is no whole number.
    return whole if (whole / _SCALE).tobytes() == array.tobytes() else array
