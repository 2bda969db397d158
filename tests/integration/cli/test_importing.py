"""`luna import`: shows what it makes of another program's file, and stores it when asked to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.support.command_line.call import Luna
from tests.support.peer_import.samples import SAMPLES

GERMANY = str(SAMPLES / "evcc" / "germany_hybrid.yaml")
BRITAIN = str(SAMPLES / "predbat" / "britain_go_rates.yaml")


@pytest.fixture
def luna(luna_on_servers: Luna, database: Engine) -> Iterator[Luna]:
    yield luna_on_servers
    with database.begin() as connection:
        connection.execute(text("DELETE FROM sites WHERE name IN ('haus_am_hang', 'taken_over')"))


def test_it_is_shown_and_not_stored(luna: Luna) -> None:
    shown = luna("import", "evcc", GERMANY)
    assert shown.code == 0
    # The line of the value, the key and what it became.
    assert "meters.2.capacity" in shown.out
    assert "capacity_kwh: 10.2" in shown.out
    assert "vw-secret-one" not in shown.out
    assert luna("site", "show", "--site", "haus_am_hang").code == 2


def test_saved_it_is_a_site(luna: Luna) -> None:
    saved = luna("import", "predbat", BRITAIN, "--site", "taken_over", "--save", "--json")
    assert (saved.code, saved.document["saved"]) == (0, True)
    statuses = {row["status"] for row in saved.document["rows"]}
    assert {"taken", "changed", "not_understood"} <= statuses
    site = luna("site", "show", "--site", "taken_over", "--json").document
    assert site["batteries"][0]["capacity_kwh"] == 13.5
    assert site["tariff"]["base"][0]["per"] == "day"


def test_a_site_that_exists_is_replaced_only_by_its_name(luna: Luna) -> None:
    assert luna("import", "evcc", GERMANY, "--save", "--json").code == 0
    again = luna("import", "evcc", GERMANY, "--save", "--json")
    assert (again.code, again.problem["field"]) == (2, "--site")
    named = luna("import", "evcc", GERMANY, "--save", "--site", "haus_am_hang", "--json")
    assert named.code == 0


def test_a_bad_file_ends_with_code_2(luna: Luna, tmp_path: Path) -> None:
    missing = luna("import", "evcc", str(tmp_path / "none.yaml"), "--json")
    assert missing.code == 2
    broken = tmp_path / "evcc.yaml"
    broken.write_text("site: [\n", encoding="utf-8")
    assert luna("import", "evcc", str(broken), "--json").code == 2
    assert luna("import", "openhab", GERMANY).code == 2
    assert luna("import", "predbat", GERMANY).code == 2
