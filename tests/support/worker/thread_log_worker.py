"""``python -m tests.support.worker.thread_log_worker ARGUMENT …``: a worker that writes into its
folder which threads run whenever a process is forked.
"""

import os
import sys
import threading
import time
from pathlib import Path

from luna.platform.queue.worker import main

FORKS = "forks.txt"


def _note() -> None:
    # Who asks for its health in the meantime has a thread by now, where anybody answers.
    time.sleep(1)
    with (Path(os.environ["LUNA_DATA_FOLDER"]) / FORKS).open("a", encoding="utf-8") as noted:
        noted.write(f"{[thread.name for thread in threading.enumerate()]}\n")


if __name__ == "__main__":
    os.register_at_fork(before=_note)
    sys.exit(main())
