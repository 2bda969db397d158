"""What a fork server holds of the libraries it has loaded."""

import subprocess
import sys

LETTING_GO = """
import re
from pathlib import Path
import numpy as np
from luna.platform.supervision.fork_server import let_go_of_files
def held_kb():
    return int(re.search(r"RssFile:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = held_kb()
let_go_of_files()
print(before, held_kb(), round(np.linalg.det(np.linalg.inv(np.eye(3) * 2)) * 8))
"""


def test_pages_of_libraries_are_let_go_of_and_read_again_by_who_needs_them() -> None:
    said = subprocess.run(
        [sys.executable, "-c", LETTING_GO], check=True, capture_output=True, text=True
    ).stdout
    before, left, computed = map(int, said.split())
    assert left < before / 2
    assert computed == 1
