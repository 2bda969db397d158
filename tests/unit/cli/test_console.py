import pytest

from services.cli import console


def test_brackets_in_a_table_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console.table(["start", "mqtt:meter [kWh]"], [["[/W]", "mqtt:grid [kw]"]])
    said = capsys.readouterr().out
    assert all(text in said for text in ("mqtt:meter [kWh]", "[/W]", "mqtt:grid [kw]"))


def test_an_empty_table_says_what_it_means(capsys: pytest.CaptureFixture[str]) -> None:
    console.table(["series"], [], none="No gaps.")
    assert capsys.readouterr().out == "No gaps.\n"
