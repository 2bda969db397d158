import pytest

from services.cli import console


def test_brackets_in_a_table_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console.table(["start", "mqtt:meter [kWh]"], [["[/W]", "mqtt:grid [kw]"]])
    said = capsys.readouterr().out
    assert all(text in said for text in ("mqtt:meter [kWh]", "[/W]", "mqtt:grid [kw]"))


def test_an_empty_table_says_what_it_means(capsys: pytest.CaptureFixture[str]) -> None:
    console.table(["series"], [], none="No gaps.")
    assert capsys.readouterr().out == "No gaps.\n"


SENTENCES = f"  {'charge ' * 20}\n\nhttps://luna.home:8080/{'x' * 90}"


def test_sentences_wrap_between_words_on_a_terminal_and_keep_their_indent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(console.out, "width", 240)
    console.write_text(SENTENCES)
    # 14 words of 6 letters with a blank between are 97 columns behind the indent of 2: 99 of 100.
    assert capsys.readouterr().out.splitlines() == [f"  {' '.join(['charge'] * 14)}", f"  {' '.join(['charge'] * 6)}", "", SENTENCES.splitlines()[2]]


def test_sentences_stay_whole_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    console.write_text(SENTENCES)
    assert capsys.readouterr().out == f"{SENTENCES}\n"
