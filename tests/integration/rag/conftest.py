"""A store of documents that is empty before and after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.documents.library import Library


@pytest.fixture
def library(database: Engine, tmp_path: Path) -> Iterator[Library]:
    there = Library(database, tmp_path)
    there.empty()
    yield there
    there.empty()
