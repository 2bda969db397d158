"""A function on arrays as one loop over sites: recorded while it runs once, then compiled,
operation by operation as it was written.

In NumPy a slot is two hundred passes over arrays. What is recorded here is what
``luna.energy.physics`` and ``luna.energy.economics`` themselves do, so there is no second physics
to keep equal: options that no site of a batch uses leave no operation behind, and a site whose
values take a way that the record did not is marked, for NumPy to do it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import IndexArray

AnyArray = np.ndarray[tuple[int, ...], np.dtype[Any]]
_LESS = "({0} if (({0} < {1}) | ({0} != {0})) else {1})"
_MORE = "({0} if (({0} > {1}) | ({0} != {0})) else {1})"
# How an operation on one site's values is written.
_WRITTEN: dict[Any, str] = {
    np.add: "({0} + {1})",
    np.subtract: "({0} - {1})",
    np.multiply: "({0} * {1})",
    np.divide: "({0} / {1})",
    np.negative: "(-{0})",
    np.absolute: "abs({0})",
    np.minimum: _LESS,
    np.maximum: _MORE,
    np.less: "({0} < {1})",
    np.less_equal: "({0} <= {1})",
    np.greater: "({0} > {1})",
    np.greater_equal: "({0} >= {1})",
    np.equal: "({0} == {1})",
    np.not_equal: "({0} != {1})",
    np.bitwise_and: "({0} & {1})",
    np.bitwise_or: "({0} | {1})",
    np.invert: "(not {0})",
    np.isnan: "({0} != {0})",
    np.isfinite: "(({0} - {0}) == 0.0)",
    np.where: "({1} if {0} else {2})",
}


class UnrecordedError(Exception):
    """A function does something that no loop over sites can: several batteries that share, say."""


@dataclass
class _Tape:
    """The recorded operations, one line for each, and what has to be false for the record to
    hold.
    """

    lines: list[str] = field(default_factory=list)
    guards: list[str] = field(default_factory=list)

    def note(self, written: str, example: Any) -> "Recorded":
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {written}")
        return Recorded(self, name, np.asarray(example))


class Recorded(np.lib.mixins.NDArrayOperatorsMixin):
    """An array in a function that is being recorded.

    ``example`` is what it holds for the sites that it is recorded with.
    """

    def __init__(self, tape: _Tape, name: str, example: AnyArray) -> None:
        self.tape, self.name, self.example = tape, name, example

    @property
    def shape(self) -> tuple[int, ...]:
        return self.example.shape

    @property
    def size(self) -> int:
        return self.example.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.example.dtype

    def __len__(self) -> int:
        return len(self.example)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options or ufunc not in _WRITTEN:
            raise UnrecordedError(f"{ufunc.__name__}.{method}")
        return self._apply(ufunc, *inputs)

    def __array_function__(
        self, function: Callable[..., Any], _: Any, inputs: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        if function is np.zeros_like:
            return np.zeros_like(self.example)
        if function is np.broadcast_to:
            return Recorded(self.tape, self.name, np.broadcast_to(self.example, inputs[1]))
        if function is np.choose:
            table = inputs[1]
            written = _write(table[-1])
            for place in range(len(table) - 2, -1, -1):
                written = (
                    f"({_write(table[place])} if {self.name} == {float(place)} else {written})"
                )
            return self.tape.note(written, table[self.example])
        if function is np.clip:
            value, least, most = inputs
            return np.minimum(np.maximum(value, least), most)
        if options or function not in _WRITTEN:
            raise UnrecordedError(function.__name__)
        return self._apply(function, *inputs)

    def _apply(self, function: Callable[..., Any], *inputs: Any) -> Any:
        with np.errstate(all="ignore"):
            example = function(
                *(each.example if isinstance(each, Recorded) else each for each in inputs)
            )
        if not example.size:
            return example
        return self.tape.note(
            _WRITTEN[function].format(*(_write(each) for each in inputs)), example
        )

    def astype(self, dtype: Any, **_: Any) -> "Recorded":
        return Recorded(self.tape, self.name, self.example.astype(dtype))

    def sum(self, axis: int) -> "Recorded":
        return Recorded(self.tape, self.name, self._only(axis))

    def any(self, axis: int | None = None) -> Any:
        """Return it for each site, or, over all of them, False: the record goes that way, and a
        site that would not is marked.
        """
        if axis is not None:
            return Recorded(self.tape, self.name, self._only(axis))
        self.tape.guards.append(f"({self.name} != 0.0)")
        return False

    def _only(self, axis: int) -> AnyArray:
        """Return the example without an axis that counts a single battery."""
        if axis != 0 or self.example.ndim != 2 or len(self.example) != 1:
            raise UnrecordedError("several batteries share")
        only: AnyArray = self.example[0]
        return only


def _write(value: Any) -> str:
    """Return how an operand is written: a recorded one by its name, one that is the same for all
    sites as a number.
    """
    if isinstance(value, Recorded):
        return value.name
    column = np.asarray(value)
    if not column.size or not (column == column.flat[0]).all():
        raise UnrecordedError("a column that was not named")
    number = column.flat[0].item()
    return (
        f"({number})"
        if isinstance(number, bool) or np.isfinite(number)
        else ("inf" if number > 0 else "(-inf)")
    )


Columns = Mapping[str, Any]
Kernel = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Fused:
    """A compiled function.

    It reads columns (a value for each site) and tables (a value for each slot), and writes a value
    for each site and result.
    """

    kernel: Kernel
    columns: tuple[str, ...]
    tables: tuple[AnyArray, ...]

    def run(
        self, slots: IndexArray, columns: Columns, results: tuple[AnyArray, ...]
    ) -> BoolArray | None:
        """Write the results of sites, each of shape ``(sites,)``.

        Return for which they do not hold, None where they do for all.

        Args:
            slots: where each site is in the tables.
            columns: of the same names as those it was recorded with.
            results: where to write, in the order in which the function returns them.
        """
        broken = np.empty(slots.size, dtype=bool)
        self.kernel(
            slots, *[columns[name].ravel() for name in self.columns], *self.tables, *results, broken
        )
        return broken if broken.any() else None


def fuse(
    function: Callable[[Columns], tuple[Any, ...]],
    slots: IndexArray,
    columns: Columns,
    tables: Mapping[str, AnyArray],
) -> Fused | None:
    """Return a function of columns and tables, compiled.

    None where it does what no loop over sites can.

    Args:
        function: takes arrays by name, those of ``tables`` as they are in the sites' slots, and
            returns arrays with a value for each site.
        slots: of the sites that it is recorded with.
        columns: of the same sites, shape ``(sites,)`` or ``(1, sites)``.
        tables: with a value for each slot.
    """
    tape = _Tape()
    arrays = {**columns, **{name: table[slots] for name, table in tables.items()}}
    leaves = [
        _Leaf(f"a{place}", name, name in tables, array)
        for place, (name, array) in enumerate(arrays.items())
    ]
    try:
        results = function(
            {leaf.argument: Recorded(tape, leaf.name, leaf.example) for leaf in leaves}
        )
        written = [*(_write(each) for each in results), " | ".join(tape.guards or ["False"])]
    except UnrecordedError:
        return None
    lines, used = _keep_used(tape.lines, written)
    leaves = [leaf for leaf in leaves if leaf.name in used]
    own, shared = (
        [leaf.argument for leaf in leaves if leaf.in_table is in_table]
        for in_table in (False, True)
    )
    return Fused(
        _compile(_describe(lines, leaves, written)),
        tuple(own),
        tuple(tables[name] for name in shared),
    )


@dataclass(frozen=True, slots=True)
class _Leaf:
    """An array that a function reads: by which name lines know it, and as which argument it comes,
    with a value for each site or, in a table, each slot.
    """

    name: str
    argument: str
    in_table: bool
    example: AnyArray

    @property
    def read(self) -> str:
        return (
            f"{self.argument}[slots[first + i]]" if self.in_table else f"{self.argument}[first + i]"
        )


_NAME = re.compile(r"\b[av]\d+\b")
# So many sites are worked on at once: everything lies in one small array, so that the compiler sees
# that nothing overlaps and takes several at a time.
_TILE = 64


def _keep_used(lines: list[str], results: list[str]) -> tuple[list[str], set[str]]:
    """Return the lines that results depend on, in order, and all names in them."""
    used, needed = set(_NAME.findall(" ".join(results))), list[str]()
    for line in reversed(lines):
        name, written = line.split(" = ", 1)
        if name in used:
            used.update(_NAME.findall(written))
            needed.append(line)
    return needed[::-1], used


def _describe(lines: list[str], leaves: list[_Leaf], results: list[str]) -> str:
    """Return the source of the loop.

    The last result says for which sites the others do not hold.
    """
    arguments = [
        *(leaf.argument for leaf in leaves if not leaf.in_table),
        *(leaf.argument for leaf in leaves if leaf.in_table),
    ]
    names = [*(f"r{place}" for place in range(len(results) - 1)), "broken"]
    load = [
        f"{leaf.name} = tile[{place}, i]" + (" != 0.0" if leaf.example.dtype == bool else "")
        for place, leaf in enumerate(leaves)
    ]
    store = [f"tile[{len(leaves) + place}, i] = {result}" for place, result in enumerate(results)]
    return "\n".join(
        [
            f"def kernel({', '.join(['slots', *arguments, *names])}):",
            f"    tile = np.zeros(({len(leaves) + len(results)}, {_TILE}))",
            f"    for first in range(0, slots.size, {_TILE}):",
            f"        count = min({_TILE}, slots.size - first)",
            *_loop(
                [f"tile[{place}, i] = {leaf.read}" for place, leaf in enumerate(leaves)], "count"
            ),
            *_loop([*load, *lines, *store], str(_TILE)),
            *_loop(
                [
                    f"{name}[first + i] = tile[{len(leaves) + place}, i]"
                    for place, name in enumerate(names)
                ],
                "count",
            ),
        ]
    )


def _loop(lines: list[str], count: str) -> list[str]:
    return [f"        for i in range({count}):", *(f"            {line}" for line in lines)]


@cache
def _compile(source: str) -> Kernel:
    import numba

    namespace: dict[str, Any] = {"np": np, "inf": np.inf}
    exec(source, namespace)  # noqa: S102 - every line was written above
    return numba.njit(nogil=True, error_model="numpy")(namespace["kernel"])
