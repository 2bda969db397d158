"""Plans of many sites as one: their slots stand end to end, so that what holds in each slot is worked out for all sites at once.

What a slot comes to depends on nothing but that slot's own numbers, so it is the same to the last bit whatever stands beside it; one plan alone is
simply the only one. What looks along slots (what comes next, where a day ends) keeps to each site's own.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.planner.problem.problem import Problem

T = TypeVar("T")
R = TypeVar("R")
A = TypeVar("A", bound=NDArray[Any])


def key_of(problem: Problem) -> Hashable:
    """Return what problems have in common whose slots may stand end to end: timeline, number of batteries, and where inverters are."""
    inverters = problem.limits.inverters
    alone = None if inverters is None else len(inverters.alone_share)
    return problem.outlook.timeline, len(problem.site.batteries), alone


def work_in_groups(items: Sequence[T], key: Callable[[T], Hashable], work: Callable[[Sequence[T]], Iterable[R]]) -> list[R]:
    """Return what ``work`` makes of each item, which is given those of the same key together."""
    groups: dict[Hashable, list[int]] = {}
    for place, item in enumerate(items):
        groups.setdefault(key(item), []).append(place)
    made = {place: result for places in groups.values() for place, result in zip(places, work([items[place] for place in places]), strict=True)}
    return [made[place] for place in range(len(items))]


def join(arrays: Sequence[A], slots: int) -> A:
    """Return arrays end to end along their last axis, each over ``slots``; the same single number for all of them stays one."""
    first = arrays[0]
    if len(arrays) == 1 or (first.shape[-1] == 1 and all(each is first for each in arrays)):
        return first
    if all(each.shape[-1] == 1 for each in arrays):
        return np.repeat(np.concatenate(arrays, axis=-1), slots, axis=-1)  # type: ignore[return-value]
    filled = [each if each.shape[-1] == slots else np.repeat(each, slots, axis=-1) for each in arrays]
    return np.concatenate(filled, axis=-1)  # type: ignore[return-value]


def join_parts(parts: Sequence[T], slots: int) -> T:
    """Return values that consist of arrays end to end; what one of them lacks all of them have to lack."""
    first: Any = parts[0]
    if len(parts) == 1 or first is None:
        return parts[0]
    if isinstance(first, np.ndarray):
        return join(parts, slots)  # type: ignore[type-var]
    joined: T = type(first)(**{each.name: join_parts([getattr(part, each.name) for part in parts], slots) for each in fields(first)})
    return joined


def split(part: T, number: int, slots: int) -> T:
    """Return of values that consist of arrays end to end those of one site."""
    arrays: dict[str, NDArray[Any]] = {name: getattr(part, name) for name in type(part).__slots__}  # type: ignore[attr-defined]
    if all(each.shape[-1] == slots for each in arrays.values()):
        return part
    own = slice(number * slots, (number + 1) * slots)
    return replace(part, **{name: each[..., own] for name, each in arrays.items()})  # type: ignore[type-var]
