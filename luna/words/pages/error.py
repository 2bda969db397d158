"""What the page of an error says beside the error itself."""

from luna.words.pages import Phrase

PHRASES = {"title": Phrase("Error", "Fehler")}
