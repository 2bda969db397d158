"""Plans of many sites as one: their slots stand end to end, so that what holds in each slot is worked out for all sites at once.

What a slot comes to depends on nothing but that slot's own numbers, so it is the same to the last bit whatever stands beside it; one plan alone is
simply the only one. What looks along slots (what comes next, where a day ends) keeps to each site's own.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.planner.problem.problem import Problem

T = TypeVar("T")
R = TypeVar("R")
A = TypeVar("A", bound=NDArray[Any])


def work_in_groups(items: Sequence[T], problems: Iterable[Problem], work: Callable[[Sequence[T]], Iterable[R]]) -> list[R]:
    """Return what ``work`` makes of each item, which is given those together whose problems' slots may stand end to end.

    What these have in common: timeline, number of batteries, and where inverters are.
    """
    if len(items) == 1:
        return list(work(items))
    groups: dict[Hashable, list[int]] = {}
    for place, problem in enumerate(problems):
        inverters = problem.limits.inverters
        alone = None if inverters is None else len(inverters.alone_share)
        groups.setdefault((problem.outlook.timeline, len(problem.site.batteries), alone), []).append(place)
    made: dict[int, R] = {}
    for places in groups.values():
        made.update(zip(places, work([items[place] for place in places]), strict=True))
    return list(map(made.__getitem__, range(len(items))))


def join(arrays: Sequence[A], slots: int) -> A:
    """Return arrays end to end along their last axis, each over ``slots``; the same single number for all of them stays one."""
    first = arrays[0]
    if len(arrays) == 1 or (first.shape[-1] == 1 and len(set(map(id, arrays))) == 1):
        return first
    joined = np.concatenate(arrays, axis=-1)
    width = joined.shape[-1]
    if width == len(arrays):
        return np.repeat(joined, slots, axis=-1)  # type: ignore[return-value]
    if width < len(arrays) * slots:
        joined = np.concatenate([each if each.shape[-1] == slots else np.repeat(each, slots, axis=-1) for each in arrays], axis=-1)
    return joined  # type: ignore[return-value]


def join_parts(parts: Sequence[T], slots: int) -> T:
    """Return values that consist of arrays end to end; what one of them lacks all of them have to lack."""
    first: Any = parts[0]
    if len(parts) == 1 or first is None:
        return parts[0]
    joined = {}
    for each in fields(first):
        own = list(map(attrgetter(each.name), parts))
        joined[each.name] = join(own, slots) if isinstance(own[0], np.ndarray) else join_parts(own, slots)
    made: T = type(first)(**joined)
    return made


def split(part: T, number: int, slots: int) -> T:
    """Return of values that consist of arrays end to end those of one site."""
    own, arrays = slice(number * slots, (number + 1) * slots), {}
    for name in type(part).__slots__:  # type: ignore[attr-defined]
        arrays[name] = getattr(part, name)[..., own]
    return replace(part, **arrays)  # type: ignore[type-var]
