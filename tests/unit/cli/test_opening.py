"""`luna open`: access to a Luna that has no accounts yet."""

from pathlib import Path

from tests.support.command_line.call import Luna


def test_programs_get_the_owners_token(luna: Luna, tmp_path: Path) -> None:
    said = luna("open", "--token", "--json")
    assert said.code == 0, said.err
    assert said.document["token"] == (tmp_path / "identity" / "owner_token").read_text().strip()
