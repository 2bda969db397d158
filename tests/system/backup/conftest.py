"""A home with a backup for the tests of a module, and a copy of it for each that changes it."""

from pathlib import Path

import pytest

from tests.kept import KeptHome, kept_home


@pytest.fixture(scope="module")
def home(kept_folder: Path) -> KeptHome:
    """A home with ten quarter-hours, an object, and a backup of them."""
    home = kept_home(kept_folder.parent)
    home.fill()
    with home.open() as database:
        for slot in range(10):
            home.observe(database, slot)
    home.back_up()
    return home
