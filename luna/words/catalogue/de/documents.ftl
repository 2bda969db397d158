documents_headline = Dokumente
documents_lead = Luna durchsucht deine Verträge, Tarife und Handbücher, wenn du etwas fragst. Die Dateien bleiben auf diesem Computer.
documents_count =
    { $count ->
        [one] { $count } Dokument, { $searchable } bereit
       *[other] { $count } Dokumente, { $searchable } bereit
    }
documents_list = Deine Dokumente
documents_none = Es gibt noch keine Dokumente.
documents_examples = Füge eigene hinzu, oder probiere die Beispiele: Tarife und Handbücher eines Musterhaushalts und die Anleitung.
add_examples = Beispiele hinzufügen
documents_more = Die Liste zeigt die neuesten { $count }.
upload_title = Dateien hinzufügen
upload_note = PDF, Word, PowerPoint, Excel, CSV, Webseiten, Markdown, Text, E-Mails oder ein ZIP davon.
upload_files = Dateien
upload_send = Hinzufügen
upload_progress = Gesendet
upload_failed = Dein Browser konnte die Dateien nicht senden. Versuche es noch einmal.
fetch_title = Webseite hinzufügen
fetch_note = Luna lädt die Seite einmal und behält diesen Stand.
fetch_address = Adresse
fetch_malformed = Eine Adresse beginnt mit https:// oder http://.
fetch_send = Seite hinzufügen
field_kind = Art
field_for = Sichtbar für
for_site = dieses Zuhause
for_all = alle Standorte
kind_contract = Vertrag
kind_tariff = Tarif
kind_manual = Handbuch
kind_regulation = Vorschrift
kind_subsidy = Förderung
kind_other = Sonstiges
language_de = Deutsch
language_en = Englisch
state_stored = Gespeichert, Luna liest es
state_extracted = Gelesen, Luna teilt es auf
state_chunked = Aufgeteilt, wird für die Suche vorbereitet
state_embedded = Gleich fertig
state_searchable = Bereit
state_failed = Nicht lesbar
state_older = Ältere Version
step = Schritt { $done } von { $total }
version = Version { $version }
pages =
    { $count ->
        [one] 1 Seite
       *[other] { $number } Seiten
    }
passages =
    { $count ->
        [one] 1 Abschnitt
       *[other] { $number } Abschnitte
    }
dated = vom { $day }
validity_title = Wann es gilt
validity_note = Luna nennt diese Tage, wenn du nach einer anderen Zeit fragst. Lass einen Tag leer, wenn du ihn nicht kennst.
field_valid_from = Gilt ab
field_valid_until = Gilt bis
validity_save = Speichern
validity_malformed = Der letzte Tag darf nicht vor dem ersten liegen. Prüfe beide Tage.
added = hinzugefügt { $day }
remove_named = { $title } löschen
remove_sure = Das löscht die Datei, ihren Text und ältere Versionen. Du kannst es nicht rückgängig machen.
remove_really = Löschen
removed = Das Dokument ist gelöscht.
added_done = Hinzugefügt. Die Liste unten zeigt den Fortschritt.
look_again = Aktualisieren
show_file = Originaldatei
back_to_documents = Alle Dokumente
back_to_question = Zurück zur Antwort
document_facts = Zu diesem Dokument
document_versions = Versionen
document_pages = Seiten
document_page = Seite { $page }
document_page_go = Seitenzahl
document_go = Öffnen
document_before = Zurück
document_after = Weiter
document_cited = Zitierte Stelle
document_empty = Luna hat von diesem Dokument noch keinen Text.
document_fetched = Geladen von { $url }
passage_gone = Die zitierte Stelle steht nicht mehr im Dokument, weil Luna es neu gelesen hat.
fault_encrypted = Die Datei hat ein Passwort.
fault_encrypted_remedy = Speichere sie ohne Passwort und füge sie noch einmal hinzu.
fault_damaged = Die Datei ist beschädigt.
fault_damaged_remedy = Öffne sie, speichere sie neu und füge die neue Datei hinzu.
fault_empty = Die Datei enthält keinen Text.
fault_empty_remedy = Ist sie ein Scan, füge eine Version mit Texterkennung hinzu.
fault_too_large = Die Datei ist zu groß.
fault_too_large_remedy = Teile sie und füge die Teile hinzu.
fault_too_many_pages = Die Datei hat zu viele Seiten.
fault_too_many_pages_remedy = Teile sie und füge die Teile hinzu.
fault_took_too_long = Das Lesen der Datei dauerte zu lange.
fault_took_too_long_remedy = Teile sie und füge die Teile hinzu.
fault_too_much_memory = Die Datei braucht zu viel Speicher.
fault_too_much_memory_remedy = Teile sie und füge die Teile hinzu.
fault_unknown_format = Diese Art von Datei kann Luna nicht lesen.
fault_unknown_format_remedy = Speichere sie als PDF, Word oder Text.
fault_mislabelled = Der Inhalt der Datei passt nicht zu ihrem Namen.
fault_mislabelled_remedy = Gib ihr die richtige Endung und füge sie noch einmal hinzu.
fault_macros = Die Datei enthält Makros (Programme).
fault_macros_remedy = Speichere sie ohne Makros.
fault_nested_archive = Das Archiv enthält weitere Archive.
fault_nested_archive_remedy = Entpacke es und füge die Dateien hinzu.
fault_crashed = Luna konnte die Datei nicht zu Ende lesen.
fault_crashed_remedy = Speichere sie neu oder als PDF.
fault_other = Luna konnte die Datei nicht lesen. Speichere sie als PDF und füge sie noch einmal hinzu.
left_out_macros = Ohne die Makros.
left_out_images_without_text = Ohne Bilder, deren Text nicht lesbar ist.
left_out_attachments = Ohne die Anhänge.
left_out_hidden_sheets = Ohne ausgeblendete Tabellenblätter.
left_out_archives_left_out = Ohne die enthaltenen Archive.
left_out_members_left_out = Ohne einige enthaltene Dateien.
left_out_unreadable_pages = Ohne einige unlesbare Seiten.
left_out_mislabelled = Nach dem Inhalt gelesen, weil der Dateiname nicht passt.
left_out_ocr = Mit Texterkennung, die Fehler enthalten kann.
