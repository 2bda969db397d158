"""What the part of a job says beside what every page does."""

from luna.words.pages import Phrase

PHRASES = {"title": Phrase("Work", "Arbeit")}
