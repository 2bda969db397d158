"""What the guide tells an owner to type works, in the order in which it stands there."""

from tests.documented_commands import find_commands
from tests.guide import guide_page
from tests.kept import KeptHome, start_luna


def test_every_command_of_the_page_on_backups_does_what_it_says(home: KeptHome) -> None:
    commands = [command for command in find_commands(guide_page("en", "backup.md"), "luna") if command.complete]
    assert {command.words[2] for command in commands} == {"key", "create", "list", "verify", "drill", "restore", "undo"}
    refused = {command.text: words for command in commands if (words := refusal(home, *command.words[1:]))}
    # The instant in the page is none of this home's.
    assert list(refused) == ["luna backup restore --at 2026-05-01T12:00:00Z"]
    assert "no backup is that old" in refused["luna backup restore --at 2026-05-01T12:00:00Z"]


def refusal(home: KeptHome, *words: str) -> str:
    """Return what a command said where it failed."""
    process = start_luna(home, *words)
    _, said = process.communicate(timeout=300)
    return said.decode() if process.returncode else ""
