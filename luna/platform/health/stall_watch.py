"""End a process in which a loop stands still, so that its supervisor starts another.

A loop may wait for ever though nothing is away: ``threading.Thread.start`` never returns where the
new thread finds no memory before it has begun, and a thread that died may hold a lock.
"""

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

# Exit code on which the supervisor starts another process.
EXIT_STALLED = 76
# Far longer than a turn takes in which every query and connection runs into its time limit.
STALLED_AFTER = timedelta(minutes=2)
# Consecutive looks: a process that was stopped by a signal has an old beat when it goes on.
LOOKS = 3
LAST_LINE = (
    b'{"event": "a loop stands still; its process ends and is started again", "level": "error"}\n'
)


class StallWatch:
    """Watches the age of loops' last turns from a thread of its own.

    Args:
        stalled_after: a loop without a turn for so long stands still.
        end: ends the process with an exit code, without any cleaning up, which may wait as well.
    """

    def __init__(
        self,
        *,
        stalled_after: timedelta = STALLED_AFTER,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._stalled_after = stalled_after
        self._end = end
        self._ages: dict[str, Callable[[], float]] = {}
        self._late = 0
        self._stopped = False

    def add(self, loop: str, age_seconds: Callable[[], float]) -> None:
        """Watch a loop, too, whose last turn was ``age_seconds`` ago."""
        self._ages[loop] = age_seconds

    def start(self) -> None:
        """Look from now on, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="stall watch", daemon=True).start()

    def stop(self) -> None:
        """Look no more: the loops have ended as they should."""
        self._stopped = True

    def look(self) -> None:
        """End the process where a loop has stood still at several looks in a row."""
        limit = self._stalled_after.total_seconds()
        stalled = [loop for loop, age_seconds in self._ages.items() if age_seconds() > limit]
        self._late = self._late + 1 if stalled else 0
        if self._late < LOOKS:
            return
        # Nothing that needs memory or a lock, which the loop may be waiting for: no log.
        os.write(sys.stderr.fileno(), LAST_LINE)
        faulthandler.dump_traceback(all_threads=True)
        self._end(EXIT_STALLED)

    def _run(self) -> None:
        while not self._stopped:
            time.sleep(self._stalled_after.total_seconds() / LOOKS)
            # Where memory is short, a look fails and the next one may not.
            with suppress(MemoryError):
                self.look()
