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
    "job_queued": Phrase("Waits for its turn.", "Wartet, bis es dran ist."),
    "job_running": Phrase("Under way.", "Läuft."),
    "job_steps": Phrase("{done} of {total}", "{done} von {total}"),
    "job_done": Phrase("Done.", "Fertig."),
    "job_failed": Phrase("This did not work.", "Das hat nicht geklappt."),
    "job_dead": Phrase("This ended its worker and was given up.", "Das hat seinen Prozess beendet und wurde aufgegeben."),
    "job_look": Phrase("Look again", "Nachsehen"),
    "job_progress": Phrase("Progress", "Fortschritt"),
    "nav_home": Phrase("Home", "Übersicht"),
    "nav_planning": Phrase("Planning", "Planung"),
    "nav_savings": Phrase("Savings", "Ersparnis"),
    "nav_forecasts": Phrase("Forecasts", "Prognosen"),
    "nav_what_ifs": Phrase("What if", "Was wenn"),
    "nav_knowledge": Phrase("Knowledge", "Wissen"),
    "nav_data": Phrase("Data", "Daten"),
    "installation": Phrase("Installation", "Installation"),
    "account": Phrase("Account", "Konto"),
    "another_site": Phrase("Set up a site", "Standort einrichten"),
}
