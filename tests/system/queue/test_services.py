"""Which services a worker takes up in a process that has imported nothing yet."""

import subprocess
import sys

import pytest

from luna.platform.queue.services import OPTIONAL_SERVICES, SERVICES


def in_a_fresh_process(code: str) -> list[str]:
    """Run ``code`` where no test has imported anything, and return the words it prints."""
    command = [
        sys.executable,
        "-c",
        f"import sys; from luna.platform.queue.services import load_services; {code}",
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


# It takes five seconds to import them all; short runs have luna up do it.
@pytest.mark.long
def test_without_a_choice_every_installed_service_is_served() -> None:
    assert in_a_fresh_process("print(*load_services())") == sorted((*SERVICES, *OPTIONAL_SERVICES))


def test_only_the_services_of_the_wanted_queues_are_imported() -> None:
    imported = in_a_fresh_process("load_services(['notifier']); print(*sys.modules)")
    assert "services.notifier.tasks" in imported
    assert not {
        "services.planner.tasks",
        "numba",
        "lightgbm",
        "polars",
        "alembic",
        "obstore",
    } & set(imported)
