"""What every page says: navigation, states, errors."""

from luna.wording.pages import Phrase

PHRASES = {
    "skip": Phrase("Skip to the content", "Zum Inhalt springen"),
    "navigation": Phrase("Pages", "Seiten"),
    "language": Phrase("Language", "Sprache"),
    "theme": Phrase("Appearance", "Darstellung"),
    "theme_system": Phrase("As the system", "Wie das System"),
    "theme_light": Phrase("Light", "Hell"),
    "theme_dark": Phrase("Dark", "Dunkel"),
    "error_title": Phrase("This did not work", "Das hat nicht geklappt"),
    "error_where": Phrase("Where: {field}", "Wo: {field}"),
    "error_report": Phrase("Number to report: {trace_id}", "Nummer für eine Rückfrage: {trace_id}"),
    "nav_home": Phrase("Home", "Zuhause"),
}
