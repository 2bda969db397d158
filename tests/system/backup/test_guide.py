"""What the guide tells an owner to type works, in the order in which it stands there."""

import pytest

from tests.support.command_line.call import Luna
from tests.support.database.home_to_back_up import KEY, KeptHome
from tests.support.documentation.commands import find_commands
from tests.support.documentation.guide import guide_page


def test_every_command_of_the_page_on_backups_does_what_it_says(
    own_home: KeptHome, luna: Luna, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUNA_DATA_FOLDER", str(own_home.settings.data_folder))
    monkeypatch.setenv("LUNA_BACKUP_KEY", KEY)
    commands = [
        command
        for command in find_commands(guide_page("en", "backup.md"), "luna")
        if command.complete
    ]
    assert {command.words[2] for command in commands} == {
        "key",
        "create",
        "list",
        "verify",
        "drill",
        "restore",
        "undo",
    }
    answers = {command.text: luna(*command.words[1:]) for command in commands}
    refused = {text: answer.err for text, answer in answers.items() if answer.code}
    # The instant in the page is none of this home's.
    assert list(refused) == ["luna backup restore --at 2026-05-01T12:00:00Z"]
    assert "no backup is that old" in refused["luna backup restore --at 2026-05-01T12:00:00Z"]
