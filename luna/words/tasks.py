"""Names of the tasks in the reader's language."""

from luna.words.language import Language
from luna.words.phrases import Phrases

NAMES = Phrases("tasks")


def name_task(task: str, language: Language) -> str:
    """Return what a task does; the task itself where it has no words."""
    # Fluent allows no dots in names.
    code = task.replace(".", "-")
    return NAMES.say(code, language) if code in NAMES else task
