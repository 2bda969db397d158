"""Child processes of a worker's process: permits them, and ends them with their parent."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Not in the stubs.
from multiprocessing.process import AuthenticationString  # type: ignore[attr-defined]


@contextmanager
def allow_children() -> Iterator[None]:
    """Permit a worker's process to start children while the block runs.

    Multiprocessing forbids it, for they might outlive it; ours do not (``watch_parent``).

    Celery's processes are billiard's, whose authentication key multiprocessing does not inherit; it
    is converted to multiprocessing's own type.
    """
    config = vars(multiprocessing.current_process())["_config"]
    before = dict(config)
    config.pop("daemon", None)
    config["authkey"] = AuthenticationString(bytes(config["authkey"]))
    try:
        yield
    finally:
        config.clear()
        config.update(before)


def watch_parent() -> None:
    """End this process when its parent is killed.

    A pool's worker would wait for work for ever.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
