"""Clients that keep asking while something happens, and how long they got no answer."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count

import httpx

from bench.background import BackgroundThreads
from bench.upgrade.release import ROOT

PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 15
BACK_SECONDS = 300


class Callers(BackgroundThreads):
    """One asks for the list of sites, one for new plans, each in a thread of its own.

    ``plans`` are the ids of those that were answered.
    """

    def __init__(self, url: str, key: str) -> None:
        asking = {"reads": self._read, "plans": self._plan}
        super().__init__(*(partial(self._keep_asking, *each) for each in asking.items()))
        self.plans: list[str] = []
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._answers: dict[str, list[tuple[float, bool]]] = {"reads": [], "plans": []}
        self._request = json.loads(
            (ROOT / "examples/plan_request.json").read_text(encoding="utf-8")
        )
        self._numbers = count()

    def away(self, since: float) -> dict[str, float]:
        """Return by kind of request the longest time from one answer to the next with a failure
        between, and how many failed, since an instant.
        """
        found: dict[str, float] = {}
        for name, answers in self._answers.items():
            later = [(at, well) for at, well in list(answers) if at >= since]
            found |= {
                f"{name}_away_s": round(longest_gap(later), 1),
                f"{name}_failed": sum(not well for _, well in later),
            }
        return found

    def count(self, name: str) -> int:
        """Return how many requests of a kind were answered."""
        return sum(well for _, well in self._answers[name])

    def wait_for_both(self) -> None:
        """Return once each has been answered after now.

        Raises:
            RuntimeError: one is not, for minutes.
        """
        before = {name: self.count(name) for name in self._answers}
        deadline = time.monotonic() + BACK_SECONDS
        while waiting := [name for name, known in before.items() if self.count(name) == known]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"no answer for {BACK_SECONDS} s: {', '.join(waiting)}")
            time.sleep(PAUSE_SECONDS)

    def _keep_asking(self, name: str, ask: Callable[[httpx.Client], None]) -> None:
        while not self._done.wait(PAUSE_SECONDS):
            well = False
            with (
                suppress(httpx.HTTPError),
                httpx.Client(
                    base_url=self._url,
                    headers=self._headers,
                    timeout=PATIENCE_SECONDS,
                    trust_env=False,
                ) as client,
            ):
                ask(client)
                well = True
            self._answers[name].append((time.monotonic(), well))

    def _read(self, client: httpx.Client) -> None:
        client.get("/v1/sites").raise_for_status()

    def _plan(self, client: httpx.Client) -> None:
        # Another state each time, so that each is a plan of its own.
        soc = 0.1 + next(self._numbers) % 8000 / 10_000
        reply = (
            client.post(
                "/v1/plans",
                json=self._request | {"state": {"batteries": {"battery": {"soc": soc}}}},
            )
            .raise_for_status()
            .json()
        )
        self.plans.append(str(reply["plan_id"]))


def longest_gap(answers: list[tuple[float, bool]]) -> float:
    """Return the longest time from one answer to the next with a failure between, seconds.

    Args:
        answers: when each request ended, and whether it was answered.
    """
    longest = 0.0
    last = answers[0][0] if answers else 0.0
    failed = False
    for at, well in answers:
        if well:
            longest = max(longest, at - last) if failed else longest
            last = at
        failed = not well
    return longest
