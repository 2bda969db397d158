"""``python -m luna.platform.supervision.parent_watch MODULE [ARGUMENT …]``: runs a module.

The module ends when the process that started it does, in whatever way.

The starter holds the other end of this process's standard input; the end of that input is the end
of the starter.
"""

import os
import runpy
import signal
import sys
import threading

STANDARD_INPUT = 0


def main() -> None:
    threading.Thread(target=_end_with_starter, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_with_starter() -> None:
    # Read below Python's own stream: a forked child would inherit that with its lock taken.
    while os.read(STANDARD_INPUT, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
