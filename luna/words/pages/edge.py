"""What the page Camera lab says."""

from luna.words.pages import Phrase

PHRASES = {
    "title": Phrase("Camera lab", "Kameralabor"),
    "lead": Phrase(
        "{runs} runs of {cameras} cameras in {weeks} weeks of places, {tasks} tasks · {places} · ended {ended}",
        "{runs} Läufe von {cameras} Kameras in {weeks} Wochen an Orten, {tasks} Aufgaben · {places} · beendet {ended}",
    ),
    "stand_in_title": Phrase("Stand-in data", "Ersatzdaten"),
    "stand_in": Phrase(
        "Nobody measured how clean the grid was at these places: {places}. A generator's values stand in. This is no measurement of a real place.",
        "An diesen Orten hat niemand gemessen, wie sauber das Netz war: {places}. Werte eines Generators stehen dafür ein. Dies ist keine Messung eines"
        " wirklichen Ortes.",
    ),
    "empty_title": Phrase("No run of the camera lab has ended yet.", "Noch ist kein Lauf des Kameralabors beendet."),
    "empty_lead": Phrase(
        "Battery-powered cameras choose a vision model every few seconds, and when to charge, by how clean the grid is. The lab simulates them, trains a"
        " controller, and compares it with simple ones and with an oracle that knows the future.",
        "Batteriebetriebene Kameras wählen alle paar Sekunden ein Bildmodell und den Zeitpunkt zum Laden, je nachdem, wie sauber das Netz ist. Das Labor"
        " simuliert sie, trainiert eine Steuerung und vergleicht sie mit einfachen und mit einem Orakel, das die Zukunft kennt.",
    ),
    "start": Phrase(
        "Whoever looks after Luna starts a run as a job; its result stands here.",
        "Wer sich um Luna kümmert, startet einen Lauf als Auftrag; sein Ergebnis steht hier.",
    ),
    "running": Phrase("A run is under way: {run}.", "Ein Lauf ist im Gang: {run}."),
    "queued": Phrase("A run waits for its turn: {run}.", "Ein Lauf wartet, bis er dran ist: {run}."),
    "failed": Phrase("The last run did not come to its end: {run}.", "Der letzte Lauf kam nicht ans Ende: {run}."),
    "says_title": Phrase("What the figures say", "Was die Zahlen sagen"),
    "clean_title": Phrase("How clean the charged energy was", "Wie sauber der geladene Strom war"),
    "clean_note": Phrase(
        "share of the energy charged, with {level} intervals · weeks differ more than controllers do",
        "Anteil am geladenen Strom, mit {level}-Intervallen · Wochen unterscheiden sich stärker als Steuerungen",
    ),
    "dirty_title": Phrase("Dirty energy beside the oracle's", "Schmutziger Strom neben dem des Orakels"),
    "dirty_note": Phrase(
        "Wh more per camera and day on the same cameras, with {level} intervals", "Wh mehr je Kamera und Tag auf denselben Kameras, mit {level}-Intervallen"
    ),
    "dirty_unknown": Phrase("There is no oracle to compare with.", "Es gibt kein Orakel zum Vergleichen."),
    "misses_title": Phrase("What was missed", "Was verfehlt wurde"),
    "misses_note": Phrase(
        "small: looked at, but not as accurately or quickly as asked · large: no energy to look",
        "klein: hingesehen, aber nicht so genau oder schnell wie verlangt · groß: keine Energie zum Hinsehen",
    ),
    "oracle_title": Phrase("Beside the oracle at equal misses", "Neben dem Orakel bei gleichen Fehlern"),
    "oracle_note": Phrase(
        "clean share over the oracle's, where both miss the same number of tasks (to one in ten thousand)",
        "sauberer Anteil durch den des Orakels, wo beide gleich viele Aufgaben verfehlen (auf eine von zehntausend)",
    ),
    "table_title": Phrase("All controllers as a table", "Alle Steuerungen als Tabelle"),
    "places_title": Phrase("Clean share by place and season", "Sauberer Anteil nach Ort und Jahreszeit"),
    "damage_title": Phrase("Rows left out: {rows}", "Ausgelassene Zeilen: {rows}"),
    "damage_row": Phrase("{file}, line {line}: {reason}", "{file}, Zeile {line}: {reason}"),
    "others_title": Phrase("Other runs", "Andere Läufe"),
    "column_controller": Phrase("Controller", "Steuerung"),
    "column_small": Phrase("Small misses", "Kleine Fehler"),
    "column_large": Phrase("Large misses", "Große Fehler"),
    "column_equal": Phrase("Runs with equal misses", "Läufe mit gleichen Fehlern"),
    "column_share": Phrase("Share", "Anteil"),
    "column_charged": Phrase("Charged", "Geladen"),
    "column_clean": Phrase("of it clean", "davon sauber"),
    "column_dirty": Phrase("Dirty per camera and day", "Schmutzig je Kamera und Tag"),
    "column_task": Phrase("Per fulfilled task", "Je erfüllter Aufgabe"),
    "column_latency": Phrase("Latency", "Latenz"),
    "column_models": Phrase("Models", "Modelle"),
    "column_place": Phrase("Place", "Ort"),
    "of_pairs": Phrase("{equal} of {pairs}", "{equal} von {pairs}"),
}
