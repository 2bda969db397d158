import struct

import numpy as np

from luna.platform.database.copy import encode


def test_a_row_is_written_as_postgresql_documents_it() -> None:
    rows = {
        "slot_start": np.array(["2000-01-01T00:00:01"], dtype="datetime64[s]"),
        "load_kwh": np.array([1.5]),
        "market": np.array([b"NL"]),
    }
    # Field count, then per field its length and its bytes; instants count microseconds from 2000.
    expected = struct.pack(">hiqidi2s", 3, 8, 1_000_000, 8, 1.5, 2, b"NL")
    assert b"".join(encode(rows)) == expected


def test_an_unknown_value_is_a_null_without_bytes() -> None:
    rows = {"load_kwh": np.array([np.nan, 2.0]), "key": np.array([7, 8], dtype=np.int32)}
    expected = struct.pack(">hiii", 2, -1, 4, 7) + struct.pack(">hidii", 2, 8, 2.0, 4, 8)
    assert b"".join(encode(rows)) == expected


def test_no_rows_are_no_bytes() -> None:
    assert b"".join(encode({"load_kwh": np.array([])})) == b""
