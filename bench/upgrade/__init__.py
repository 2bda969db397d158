"""An update from an earlier release to this one and the way back, with the data in place, as an
owner makes both: containers and embedded servers.

Run as ``make upgrade-test FROM=<git ref>``, or
``python -m bench.upgrade --from <git ref> --place containers``. The release before is the newest
tag, or the commit before. What is compared is what is committed. Clients keep asking for sites and
plans meanwhile.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import httpx

from bench.upgrade.callers import Callers
from bench.upgrade.containers import Containers
from bench.upgrade.content import Content, add_plan, count_missing, fill
from bench.upgrade.embedded import Embedded
from bench.upgrade.release import Copy, find_release_before, resolve, say
from bench.upgrade.rows import compare, read_rows
from luna.energy.errors import MachineError

PLACES = ("embedded", "containers")


class Place(Protocol):
    """Where Luna runs: it can be updated, and taken back to a backup."""

    copy: Copy
    url: str
    key: str

    def start(self) -> None: ...
    def ask(self, query: str) -> list[list[str]]: ...
    def list_objects(self) -> dict[str, str]: ...
    def back_up(self) -> str: ...
    def update(self, commit: str) -> None: ...
    def go_back(self, commit: str, backup: str) -> None: ...
    def remove(self) -> None: ...


def measure(*, reference: str | None = None, places: tuple[str, ...] = PLACES) -> dict[str, Any]:
    """Return by place how long clients got no answer in the update and on the way back, seconds,
    and how many rows, objects, answers and plans were lost.

    Args:
        reference: the release before, as git names it.
        places: of ``PLACES``.

    Raises:
        MachineError: a place cannot be had, or a command of the update failed.
    """
    before = resolve(reference or find_release_before())
    present = resolve("HEAD")
    figures: dict[str, Any] = {"before": before[:8], "present": present[:8]}
    for name in places:
        folder = Path(tempfile.mkdtemp(prefix="luna-upgrade-"))
        # As root the embedded servers run under another account, which must be able to walk
        # through.
        folder.chmod(0o711)
        copy = Copy.make(folder / "luna")
        place: Place = Containers(copy) if name == "containers" else Embedded(copy, folder / "data")
        try:
            figures[name] = Trial(name, place, before, present).run()
        except (RuntimeError, httpx.HTTPError) as exc:
            raise MachineError(
                f"the update fails: {exc}", field=name, remedy=f"See the logs in {copy.folder}."
            ) from exc
        finally:
            place.remove()
        shutil.rmtree(folder)
    return figures


class Trial:
    """An update of one place and the way back."""

    def __init__(self, name: str, place: Place, before: str, present: str) -> None:
        self._name = name
        self._place = place
        self._before = before
        self._present = present

    def run(self) -> dict[str, Any]:
        """Return the figures."""
        place = self._place
        place.copy.check_out(self._before)
        say(f"{self._name}: the release before is built, started and filled")
        place.start()
        with self._client() as client:
            content = fill(client)
            began = time.monotonic()
            backup = place.back_up()
            figures: dict[str, Any] = {"backup_s": round(time.monotonic() - began, 1)}
            self._rows, self._objects, as_it_was = (
                read_rows(place.ask),
                place.list_objects(),
                deepcopy(content),
            )
            with Callers(place.url, place.key) as callers:
                if isinstance(place, Containers):
                    figures["old_on_new"] = self._migrate(place, client, content, callers)
                say(f"{self._name}: updating")
                figures["update"] = _time(callers, partial(place.update, self._present))
                add_plan(client, content, soc=0.4)
                figures["update"] |= self._judge(client, content, list(callers.plans))
                say(f"{self._name}: going back")
                figures["back"] = _time(callers, partial(place.go_back, self._before, backup))
            figures["back"] |= self._judge(client, as_it_was, [])
        return figures

    def _migrate(
        self, place: Containers, client: httpx.Client, content: Content, callers: Callers
    ) -> dict[str, Any]:
        """Have the release before work on the schema of this one, as it does for a moment in each
        update.
        """
        say(
            f"{self._name}: the new images are built, the new schema comes under the release before"
        )
        place.copy.check_out(self._present)
        place.build()
        found = _time(callers, place.migrate)
        add_plan(client, content, soc=0.3)
        ready = client.get("/health/ready").is_success
        return found | self._judge(client, content, list(callers.plans)) | {"says_ready": ready}

    def _judge(self, client: httpx.Client, content: Content, plans: list[str]) -> dict[str, Any]:
        objects = self._place.list_objects()
        faults = content.find_faults(client)
        return {
            **compare(self._rows, read_rows(self._place.ask, self._rows)),
            "revision": self._place.ask("SELECT version_num FROM alembic_version")[0][0],
            "objects": len(self._objects),
            "objects_lost": sum(
                objects.get(key) != digest for key, digest in self._objects.items()
            ),
            "answers": len(content.answers) + len(content.files),
            "faults_found": len(faults),
            "faults": faults,
            "plans": len(plans),
            "plans_missing": count_missing(client, plans),
        }

    def _client(self) -> AbstractContextManager[httpx.Client]:
        headers = {"Authorization": f"Bearer {self._place.key}"}
        return httpx.Client(base_url=self._place.url, headers=headers, timeout=60, trust_env=False)


def _time(callers: Callers, work: Callable[[], None]) -> dict[str, float]:
    """Return how long a command took, and how long callers got no answer meanwhile."""
    callers.wait_for_both()
    began = time.monotonic()
    work()
    took = time.monotonic() - began
    callers.wait_for_both()
    return {"command_s": round(took, 1), **callers.away(began)}
