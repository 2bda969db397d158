"""What control groups say of memory."""

from pathlib import Path

import pytest

from luna.platform.memory import MemoryGroup

FILES = {
    True: {
        "memory.max": "1000",
        "memory.current": "900",
        "memory.stat": "anon 500\nactive_file 100\ninactive_file 250\n",
    },
    False: {
        "memory.limit_in_bytes": "1000",
        "memory.usage_in_bytes": "900",
        "memory.stat": "active_file 1\ntotal_active_file 100\ntotal_inactive_file 250\n",
    },
}


@pytest.mark.parametrize("unified", [True, False], ids=["version 2", "version 1"])
def test_a_group_holds_what_it_uses_without_the_files_that_can_be_read_again(
    tmp_path: Path, unified: bool
) -> None:
    for name, text in FILES[unified].items():
        (tmp_path / name).write_text(text)
    group = MemoryGroup(tmp_path, unified=unified)
    assert (group.limit_bytes(), group.used_bytes()) == (1000, 550)


def test_a_group_without_limit_or_without_files_limits_nothing(tmp_path: Path) -> None:
    group = MemoryGroup(tmp_path, unified=True)
    assert (group.limit_bytes(), group.used_bytes()) == (None, 0)
    (tmp_path / "memory.max").write_text("max\n")
    assert group.limit_bytes() is None
