"""What a plan, a replay or an answer rests on, said above its table."""

from luna.contracts.plan import NoteReply
from services.cli.console import out


def show_note(note: NoteReply) -> None:
    """Print a note; what was assumed is called so."""
    out.print(f"{'Assumed' if note.assumed else 'Note'}: {note.text}", soft_wrap=True, markup=False)
