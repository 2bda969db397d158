"""What a plan, a replay or an answer rests on, said above its table."""

from luna.contracts.plan import NoteReply
from luna.wording import Language
from services.cli.console import out

_HEADS: dict[Language, tuple[str, str]] = {"en": ("Note", "Assumed"), "de": ("Hinweis", "Angenommen")}


def show_note(note: NoteReply, language: Language = "en") -> None:
    """Print a note; what was assumed is called so."""
    out.print(f"{_HEADS[language][note.assumed]}: {note.text}", soft_wrap=True, markup=False)
