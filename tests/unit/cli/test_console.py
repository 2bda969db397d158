import pytest

from services.cli import console


def test_brackets_in_a_table_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console.table(["start", "mqtt:meter [kWh]"], [["[/W]", "mqtt:grid [kw]"]])
    said = capsys.readouterr().out
    assert all(text in said for text in ("mqtt:meter [kWh]", "[/W]", "mqtt:grid [kw]"))


def test_an_empty_table_says_what_it_means(capsys: pytest.CaptureFixture[str]) -> None:
    console.table(["series"], [], none="No gaps.")
    assert capsys.readouterr().out == "No gaps.\n"


PLAN_ID = "6f0b2c9e4d5a4e1b9b7c2f3a1d8e5c47"
WIDE_ROW = [PLAN_ID, *["2024-02-01 12:00 CET"] * 4, "self-consumption and a few words more"]


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_an_id_is_never_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1" if terminal else "")
    monkeypatch.setattr(console.out, "width", 80)
    console.table(["plan", "issued", "from", "to", "until", "status"], [WIDE_ROW, WIDE_ROW])
    assert capsys.readouterr().out.count(PLAN_ID) == 2


def test_a_row_in_a_pipe_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.out, "width", 80)
    console.table(["plan", "issued", "from", "to", "until", "status"], [WIDE_ROW])
    [_, line] = capsys.readouterr().out.splitlines()
    assert line.split() == " ".join(WIDE_ROW).split()


SENTENCES = f"  {'charge ' * 20}\n\nhttps://luna.home:8080/{'x' * 90}"


def test_sentences_wrap_between_words_on_a_terminal_and_keep_their_indent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(console.out, "width", 240)
    console.write_text(SENTENCES)
    # 14 words of 6 letters with a blank between are 97 columns behind the indent of 2: 99 of 100.
    assert capsys.readouterr().out.splitlines() == [
        f"  {' '.join(['charge'] * 14)}",
        f"  {' '.join(['charge'] * 6)}",
        "",
        SENTENCES.splitlines()[2],
    ]


def test_sentences_stay_whole_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    console.write_text(SENTENCES)
    assert capsys.readouterr().out == f"{SENTENCES}\n"
