"""What the page of an error says beside the error itself."""

from luna.wording.pages import Phrase

PHRASES = {"title": Phrase("Error", "Fehler")}
