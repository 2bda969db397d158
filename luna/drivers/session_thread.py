"""Run the looks and heartbeats of a session in a thread of its own, until it ends."""

import threading
from collections.abc import Callable
from itertools import count

# The heartbeat counts up every second. Source: SunSpec model 715, ControllerHb.
BEATS_PER_LOOK = 5


class SessionThread:
    """The thread of one session, started with its first command.

    Args:
        look: keeps the command up.
        beat: sends the next heartbeat, None: the device has none.
        look_seconds: between two looks.
    """

    def __init__(
        self,
        look: Callable[[], None],
        beat: Callable[[], None] | None,
        *,
        look_seconds: float,
    ) -> None:
        self._look = look
        self._beat = beat
        self._look_seconds = look_seconds
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start to look, where it does not yet."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="device session", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        beats = 1 if self._beat is None else BEATS_PER_LOOK
        for turn in count(1):
            if self._ending.wait(self._look_seconds / beats):
                return
            if turn % beats == 0 or self._beat is None:
                self._look()
            else:
                self._beat()
