"""Which tests run for a change: the nearest first, until a budget of seconds is used up.

Values in, values out.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from heapq import heappop, heappush
from itertools import chain
from pathlib import PurePosixPath

from tests.selection.durations import SLOW_FOLDER, Durations, duration_of

FOLDERS = ("tests/unit/", "tests/properties/", "tests/integration/", SLOW_FOLDER)
# Every test depends on these, so nothing is nearer than anything else.
EVERYTHING = re.compile(r"tests/conftest\.py|pyproject\.toml|locks/.*\.txt")
_WORD = re.compile(r"[a-z]{3,}")
# Seconds of tests. Three processes on two cores work off 2.5 a second, beside 15 s to start and to
# collect.
BUDGET = 100.0
# What has to run may use more than the budget, but not without end: of what half of all tests
# import, only the nearest.
MOST_REQUIRED = 1.5

# By file, those that use it and over how many hops.
UsersOf = Callable[[str], Mapping[str, int]]
Words = Mapping[str, frozenset[str]]
# A package's test may stand for what it hands on, not for all that is in there.
MOST_HOPS_OF_MIRROR = 3


class Tier(IntEnum):
    """How a test is related to a change."""

    CHANGED = 0
    MIRROR = 1
    DIRECT = 2
    FARTHER = 3


@dataclass(frozen=True, slots=True)
class Ranked:
    """A test file that a change can reach.

    ``distance`` is in hops, less what the names have in common.
    """

    test: str
    tier: Tier
    distance: float
    seconds: float

    @property
    def order(self) -> tuple[int, float, float, str]:
        """The nearest first, of equals the cheapest."""
        return self.tier, round(self.distance, 1), self.seconds, self.test

    @property
    def required(self) -> bool:
        """Whether it runs where the budget is used up."""
        return self.tier is Tier.CHANGED or (
            self.tier is not Tier.FARTHER and not self.test.startswith(SLOW_FOLDER)
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """The test files to run, nearest first, and those that were left out for time."""

    taken: tuple[Ranked, ...]
    left_out: tuple[Ranked, ...]

    @property
    def seconds(self) -> float:
        """What the tests take, one after the other."""
        return sum(each.seconds for each in self.taken)


def select_tests(
    changed: Collection[str],
    users_of: UsersOf,
    *,
    tests: Words,
    durations: Durations,
    budget: float = BUDGET,
) -> Selection:
    """Return the tests to run for changed files.

    Args:
        changed: paths from the repository's root.
        users_of: who uses a file.
        tests: all test files, with the words that each is written in.
        durations: seconds of those that have been timed.
        budget: seconds of tests, one after the other.

    Invariants: changed tests are taken whatever they cost; nothing of ``tests/system`` is that is
        neither changed nor a direct importer.
    """
    ranked = sorted(
        _rank(changed, users_of, tests=tests, durations=durations), key=lambda each: each.order
    )
    if any(EVERYTHING.fullmatch(path) for path in changed):
        ranked += _sample(set(tests) - {each.test for each in ranked}, durations)
    taken = []
    left_out = []
    spent = 0.0
    for each in ranked:
        limit = budget * MOST_REQUIRED if each.required else budget
        if each.tier is Tier.CHANGED or spent + each.seconds <= limit:
            taken.append(each)
            spent += each.seconds
        else:
            left_out.append(each)
    return Selection(tuple(taken), tuple(left_out))


def measure_hops(changed: str, users_of: UsersOf) -> dict[str, int]:
    """Return how many hops each file is away from one that it depends on."""
    hops = {changed: 0}
    queue = [(0, changed)]
    while queue:
        distance, path = heappop(queue)
        if distance > hops[path]:
            continue
        for user, step in users_of(path).items():
            if distance + step < hops.get(user, math.inf):
                hops[user] = distance + step
                heappush(queue, (distance + step, user))
    return hops


def mirrors(path: str, test: str) -> bool:
    """Return whether a test file stands for a file, or for a package that it is in, by its place in
    the tree.
    """
    below = next((test.removeprefix(folder) for folder in FOLDERS if test.startswith(folder)), None)
    if below is None:
        return False
    ours = PurePosixPath(path).parts[1:]
    theirs = PurePosixPath(below).with_suffix("").parts
    if not ours:
        return False
    *folders, stem = *ours[:-1], ours[-1].partition(".")[0]
    folder = list(theirs[:-1])
    name = theirs[-1].removeprefix("test_")
    beside = folder == folders and name.startswith(f"{stem}_")
    above = folder == folders[: len(folder)] and name == stem
    return beside or above or [*folder, name] == folders


def split_words(text: str) -> frozenset[str]:
    """Return the words of names and sentences in small letters, of a plural its singular."""
    return frozenset(word.removesuffix("s") for word in set(_WORD.findall(text.lower())))


def _rank(
    changed: Collection[str], users_of: UsersOf, *, tests: Words, durations: Durations
) -> Iterable[Ranked]:
    nearest: dict[str, tuple[Tier, float]] = {}
    named = _weigh_words(map(split_words, tests))
    mentioned = _weigh_words(tests.values())
    for path in changed:
        hops = measure_hops(path, users_of)
        own = split_words(path.partition("/")[2].partition(".")[0])
        for test in tests:
            steps = hops.get(test, MOST_HOPS_OF_MIRROR)
            mirrored = steps <= MOST_HOPS_OF_MIRROR and mirrors(path, test)
            if test in hops or mirrored:
                tier = (
                    Tier.CHANGED
                    if steps == 0
                    else Tier.MIRROR
                    if mirrored
                    else Tier.DIRECT
                    if steps == 1
                    else Tier.FARTHER
                )
                # What a test is called says more of what it is about than that it mentions it.
                likeness = 1.5 * sum(named[word] for word in own & split_words(test)) + 0.5 * sum(
                    mentioned[word] for word in own & tests[test]
                )
                nearest[test] = min(
                    nearest.get(test, (Tier.FARTHER, math.inf)), (tier, steps - likeness)
                )
    for test, (tier, distance) in nearest.items():
        if tier < Tier.FARTHER or not test.startswith(SLOW_FOLDER):
            yield Ranked(test, tier, distance, duration_of(test, durations))


def _weigh_words(texts: Iterable[frozenset[str]]) -> defaultdict[str, float]:
    """Return what a common word is worth in hops: the rarer among the texts, the more.

    At most one.
    """
    found = list(texts)
    counts = Counter(chain.from_iterable(found))
    whole = math.log(len(found) + 1)
    worth: defaultdict[str, float] = defaultdict(float)
    worth.update({word: 1 - math.log(count) / whole for word, count in counts.items()})
    return worth


def _sample(tests: Collection[str], durations: Durations) -> list[Ranked]:
    """Return tests of every folder by turns, the cheapest of each first."""
    by_folder: defaultdict[PurePosixPath, list[Ranked]] = defaultdict(list)
    for test in tests:
        if not test.startswith(SLOW_FOLDER):
            by_folder[PurePosixPath(test).parent].append(
                Ranked(test, Tier.FARTHER, 0.0, duration_of(test, durations))
            )
    turns = [
        (turn, each)
        for found in by_folder.values()
        for turn, each in enumerate(sorted(found, key=lambda each: each.order))
    ]
    return [each for _, each in sorted(turns, key=lambda pair: (pair[0], pair[1].order))]
