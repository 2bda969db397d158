"""Processes that a process of a queue's worker starts for a while: allowed to be, and ended with who started them."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import AuthenticationString  # type: ignore[attr-defined] # not in the stubs


@contextmanager
def allow_children() -> Iterator[None]:
    """Within, a process of a queue's worker may start others. multiprocessing refuses that, for they might outlive it; ours end with it (``watch_parent``).

    Celery's processes are billiard's, whose key of authentication multiprocessing does not hand on; it is the same key as multiprocessing's own.
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
    """End this process when who started it was killed: its pool would wait for work for ever."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
