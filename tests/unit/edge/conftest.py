"""A lab with the measured models and stand-ins for the clean shares."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.edge.config import EdgeConfig
from services.edge.lab import DataFolders, Lab, open_lab

MakeLab = Callable[..., Lab]


@pytest.fixture
def make_lab(tmp_path: Path) -> MakeLab:
    """Opens a lab in a folder of the test's, by default with one worker and seed 1.

    Sections of the configuration as keywords.
    """

    def make(*, workers: int = 1, seed: int = 1, **sections: Any) -> Lab:
        config = EdgeConfig.model_validate(
            {"global": {"workers": workers, "random_seed": seed}, **sections}
        )
        return open_lab(config, DataFolders(tmp_path), out=tmp_path / "out")

    return make
