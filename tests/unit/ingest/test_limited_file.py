"""Files read piece by piece, whatever they are packed and written in."""

import gzip
from pathlib import Path

import pytest

from luna.energy.errors import InvalidInputError
from services.ingest.limited_file import FileLimits, open_limited, refuse_unreadable

TEXT = "Zähler;kWh\nKüche;0,5\n"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16-le"])
def test_a_letter_that_a_piece_cuts_is_whole(tmp_path: Path, encoding: str, packed: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(TEXT.encode(encoding)) if packed else TEXT.encode(encoding))
    with open_limited(path, FileLimits(), encoding=encoding) as file:
        assert b"".join(iter(lambda: file.read(1), b"")).decode() == TEXT


def test_a_packed_file_that_breaks_off_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(TEXT.encode() * 100)[:-8])
    with (
        pytest.raises(InvalidInputError) as refused,
        refuse_unreadable(path),
        open_limited(path, FileLimits()) as file,
    ):
        list(file.blocks(first_line=1))
    assert refused.value.reason == "file-damaged"
