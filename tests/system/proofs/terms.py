"""Arrays of unknowns: what runs on NumPy's arrays runs on these as well, and leaves z3's terms
instead of numbers.

``Terms`` implements the protocols by which NumPy hands its functions to other kinds of arrays (NEP
13 and NEP 18), so the code that is proven is the code that runs. Numbers among the unknowns stay
numbers; NaN and infinity are numbers only. What decides an ``if`` is followed both ways.
"""

import math
import operator
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np
import z3
from numpy.lib.mixins import NDArrayOperatorsMixin

from tests.system.proofs.reals import OVER, TIMES, decide

Scalar = Any  # a term of z3, a number or a truth value
Operation = Callable[..., Scalar]


class Terms(NDArrayOperatorsMixin):
    """An array whose elements are terms, numbers or truth values."""

    def __init__(self, elements: Any) -> None:
        self.elements = np.asarray(elements, dtype=object)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.elements.shape

    @property
    def ndim(self) -> int:
        return self.elements.ndim

    def __len__(self) -> int:
        return len(self.elements)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return (
            NotImplemented
            if method != "__call__" or options
            else _apply(_OPERATIONS[ufunc], *inputs)
        )

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        return _FUNCTIONS[function](*args, **kwargs)

    def astype(self, kind: Any) -> "Terms":
        """Return the same: an unknown has no width."""
        return self

    def sum(self, axis: int) -> Any:
        return _arrange(_accumulate(_add, self.elements)[-1])

    def any(self, axis: int | None = None) -> Any:
        """Return by column whether anything is true or not zero.

        Of the whole array, follow both ways.
        """
        nonzero = _apply_raw(_is_true, self.elements)
        return (
            _arrange(_accumulate(_either, nonzero)[-1])
            if axis == 0
            else _decide(_accumulate(_either, nonzero.ravel())[-1])
        )


def name_unknowns(
    name: str, shape: tuple[int, ...], kind: Callable[[str], z3.ExprRef] = z3.Real
) -> Terms:
    """Return an array of unknowns called ``name_0``, ``name_1`` and so on."""
    return Terms(
        np.array(
            [kind(f"{name}_{index}") for index in range(math.prod(shape))], dtype=object
        ).reshape(shape)
    )


def list_elements(array: Any) -> list[Scalar]:
    """Return the elements of any array."""
    return list(np.asarray(_raw(array), dtype=object).ravel())


def to_real(value: Scalar) -> z3.ArithRef:
    """Return a number as a term.

    A float is the number that it is, to the last bit, a truth value 0 or 1.
    """
    if isinstance(value, z3.BoolRef):
        return z3.If(value, z3.RealVal(1), z3.RealVal(0))
    return z3.Q(*Fraction(value).as_integer_ratio()) if _is_known(value) else value


def to_truth(value: Scalar) -> z3.BoolRef:
    """Return a truth value as a term."""
    return z3.BoolVal(bool(value)) if _is_known(value) else value


# ---- arrays --------------------------------------------------------------------------------------


def _raw(array: Any) -> Any:
    return array.elements if isinstance(array, Terms) else array


def _arrange(elements: Any) -> Any:
    """Return terms, or an array like any other where nothing is unknown."""
    elements = np.asarray(elements, dtype=object)
    return (
        np.array(elements.tolist()).reshape(elements.shape)
        if all(map(_is_known, elements.ravel()))
        else Terms(elements)
    )


def _apply_raw(operation: Operation, *inputs: Any) -> Any:
    return np.frompyfunc(operation, len(inputs), 1)(
        *(np.asarray(_raw(each), dtype=object) for each in inputs)
    )


def _apply(operation: Operation, *inputs: Any) -> Any:
    return _arrange(_apply_raw(operation, *inputs))


def _accumulate(operation: Operation, elements: Iterable[Any]) -> list[Any]:
    """Return the rows combined one after the other: the first, the first two, all."""
    return list(accumulate(elements, lambda total, row: _apply_raw(operation, total, row)))


# ---- elements ------------------------------------------------------------------------------------


def _is_known(value: Scalar) -> bool:
    return not isinstance(value, z3.ExprRef)


def _is_endless(*values: Scalar) -> bool:
    return any(_is_known(value) and not math.isfinite(value) for value in values)


def _is_nan(value: Scalar) -> bool:
    return _is_known(value) and math.isnan(value)


def _is_true(value: Scalar) -> Scalar:
    return value if isinstance(value, z3.BoolRef) else _compare(operator.ne)(value, 0.0)


def _decide(condition: Scalar) -> bool:
    return bool(condition) if _is_known(condition) else decide(condition)


def _add(one: Scalar, other: Scalar) -> Scalar:
    if _is_known(one) and _is_known(other):
        return one + other
    known, rest = (one, other) if _is_known(one) else (other, one)
    if _is_endless(known):
        return known
    return rest if _is_known(known) and known == 0 else to_real(one) + to_real(other)


def _negate(value: Scalar) -> Scalar:
    return -value if _is_known(value) else -to_real(value)


def _multiply(one: Scalar, other: Scalar) -> Scalar:
    """Return the product.

    Of two unknowns it is the function ``times``. What stands beside an infinite limit is above
    zero.
    """
    if _is_known(one) and _is_known(other):
        return one * other
    known, rest = (one, other) if _is_known(one) else (other, one)
    if not _is_known(known):
        return TIMES(*sorted((to_real(one), to_real(other)), key=operator.methodcaller("get_id")))
    if known == 0 or _is_endless(known):
        return known
    return rest if known == 1 else to_real(known) * to_real(rest)


def _divide(one: Scalar, other: Scalar) -> Scalar:
    if _is_known(other):
        return one / other if _is_known(one) else to_real(one) / to_real(other)
    return (
        one
        if _is_endless(one) or (_is_known(one) and one == 0)
        else OVER(to_real(one), to_real(other))
    )


def _compare(relation: Callable[[Any, Any], Any]) -> Operation:
    def related(one: Scalar, other: Scalar) -> Scalar:
        if _is_endless(one, other):  # any number stands on the same side of infinity as 0 does
            return bool(
                relation(one if _is_known(one) else 0.0, other if _is_known(other) else 0.0)
            )
        return (
            bool(relation(one, other))
            if _is_known(one) and _is_known(other)
            else relation(to_real(one), to_real(other))
        )

    return related


def _choose(condition: Scalar, one: Scalar, other: Scalar) -> Scalar:
    """Return one where the condition holds, else the other.

    Where one of them is no real number, both ways are followed.
    """
    if _is_known(condition):
        return one if condition else other
    if _is_known(one) and _is_known(other) and one == other:
        return one
    if _is_endless(one, other):
        return one if decide(condition) else other
    truth = any(isinstance(value, (bool, np.bool_, z3.BoolRef)) for value in (one, other))
    chosen, rest = (to_truth(one), to_truth(other)) if truth else (to_real(one), to_real(other))
    return one if chosen.eq(rest) else z3.If(condition, chosen, rest)


def _larger(one: Scalar, other: Scalar) -> Scalar:
    return (
        math.nan
        if _is_nan(one) or _is_nan(other)
        else _choose(_compare(operator.ge)(one, other), one, other)
    )


def _smaller(one: Scalar, other: Scalar) -> Scalar:
    return (
        math.nan
        if _is_nan(one) or _is_nan(other)
        else _choose(_compare(operator.le)(one, other), one, other)
    )


def _both(one: Scalar, other: Scalar) -> Scalar:
    return _choose(one, other, False)  # noqa: FBT003


def _either(one: Scalar, other: Scalar) -> Scalar:
    return _choose(one, True, other)  # noqa: FBT003


_OPERATIONS: dict[np.ufunc, Operation] = {
    np.add: _add,
    np.subtract: lambda one, other: _add(one, _negate(other)),
    np.multiply: _multiply,
    np.true_divide: _divide,
    np.negative: _negate,
    np.maximum: _larger,
    np.minimum: _smaller,
    np.less: _compare(operator.lt),
    np.less_equal: _compare(operator.le),
    np.greater: _compare(operator.gt),
    np.greater_equal: _compare(operator.ge),
    np.equal: _compare(operator.eq),
    np.not_equal: _compare(operator.ne),
    np.bitwise_and: _both,
    np.bitwise_or: _either,
    np.invert: lambda value: not value if _is_known(value) else z3.Not(value),
    np.isnan: _is_nan,
    np.isfinite: lambda value: not _is_endless(value),
}


def _cumulate(array: Any, axis: int) -> Any:
    return _arrange(np.stack(_accumulate(_add, _raw(array))))


_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.where: lambda condition, one, other: _apply(_choose, condition, one, other),
    np.clip: lambda array, least, most: _apply(
        lambda value, low, high: _smaller(_larger(value, low), high), array, least, most
    ),
    np.cumsum: _cumulate,
    np.zeros_like: lambda array: np.zeros(array.shape),
}
