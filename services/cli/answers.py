"""``luna answers``: what was asked and answered, and from what."""

from luna.contracts.answers import StoredAnswer
from luna.words import Numbers
from services.cli.ask import show_sources
from services.cli.console import out
from services.cli.declared import build_group


def _show(stored: StoredAnswer, _: Numbers) -> None:
    out.print(stored.answer.answer, markup=False)
    show_sources(stored.answer)


app = build_group("answers", "List and show what was asked and answered.", shown={"show": _show})
