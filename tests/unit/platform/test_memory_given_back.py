"""What a process keeps of the memory that its tasks have freed."""

import subprocess
import sys

# Blocks that lie close together, as a task's are; the last one holds the end of the heap, so that
# nothing of it goes back by itself.
FREEING = """
from luna.platform.memory import FreedMemory, resident_bytes
freed = FreedMemory()
freed.give_back()
before = resident_bytes()
blocks = [b"x" * 50_000 for _ in range(2_000)]
last = blocks.pop()
blocks.clear()
kept = resident_bytes() - before
freed.give_back()
print(kept, resident_bytes() - before)
"""


def test_what_a_task_has_freed_goes_back_to_the_system() -> None:
    # In a process of its own: this one's heap has holes of other tests.
    said = subprocess.run(
        [sys.executable, "-c", FREEING], check=True, capture_output=True, text=True
    ).stdout
    kept, left = map(int, said.split())
    assert kept > 80_000_000
    assert left < 10_000_000
