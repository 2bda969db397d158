documents_headline = Dokumente
documents_lead = Verträge, Tarife, Handbücher, Regeln: Was hier steht, wird durchsucht, wenn jemand fragt. Die Dateien bleiben auf dieser Maschine.
documents_count =
    { $count ->
        [one] { $count } Dokument, davon { $searchable } durchsuchbar
       *[other] { $count } Dokumente, davon { $searchable } durchsuchbar
    }
documents_list = Was da ist
documents_none = Noch gibt es keine Dokumente.
documents_examples = Füg eigene hinzu, oder probier es mit denen, die Luna beiliegen: Tarife und Handbücher eines Beispielhaushalts und die Anleitung.
add_examples = Beispiele hinzufügen
documents_more = Gezeigt werden nur die neuesten { $count }.
upload_title = Dateien hinzufügen
upload_note = PDF, Word, PowerPoint, Excel, CSV, Webseiten, Markdown, Text, E-Mails oder ein ZIP davon.
upload_files = Dateien
upload_send = Hinzufügen
upload_progress = Gesendet
upload_failed = Die Dateien ließen sich nicht senden.
fetch_title = Eine Seite aus dem Internet hinzufügen
fetch_note = Die Seite wird einmal geholt und so behalten, wie sie war.
fetch_address = Adresse
fetch_malformed = Das ist keine Adresse: Sie beginnt mit https:// oder http://.
fetch_send = Holen
field_kind = Was es ist
field_for = Für wen
for_site = diesen Standort
for_all = alle
kind_contract = Vertrag
kind_tariff = Tarif
kind_manual = Handbuch
kind_regulation = Vorschrift
kind_subsidy = Förderung
kind_other = Sonstiges
language_de = Deutsch
language_en = Englisch
state_stored = Gespeichert, wird gelesen
state_extracted = Gelesen, wird in Abschnitte geteilt
state_chunked = In Abschnitten, wird indexiert
state_embedded = Indexiert, gleich fertig
state_searchable = Durchsuchbar
state_failed = Ließ sich nicht lesen
state_older = Ältere Fassung
step = Schritt { $done } von { $total }
version = Fassung { $version }
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
validity_title = Wie lange es gilt
validity_note = Antworten sagen dazu, wenn nach einer anderen Zeit gefragt ist. Ein leerer Tag: nicht bekannt.
field_valid_from = Gilt ab
field_valid_until = Gilt bis
validity_save = Speichern
validity_malformed = Der letzte Tag liegt vor dem ersten oder ist keiner.
added = hinzugefügt { $day }
remove_named = { $title } entfernen
remove_sure = Text, Abschnitte und Datei verschwinden endgültig, mit den älteren Fassungen.
remove_really = Endgültig entfernen
removed = Das Dokument wurde entfernt.
added_done = Aufgenommen. Unten siehst du, wie weit es ist.
look_again = Nachsehen
show_file = Originaldatei
back_to_documents = Alle Dokumente
back_to_question = Zurück zur Antwort
document_facts = Zu diesem Dokument
document_versions = Fassungen
document_pages = Seiten
document_page = Seite { $page }
document_page_go = Gehe zu Seite
document_go = Los
document_before = Davor
document_after = Danach
document_cited = Die zitierte Stelle
document_empty = Von diesem Dokument ist noch kein Text bekannt.
document_fetched = Geholt von { $url }
passage_gone = Die zitierte Stelle steht nicht mehr in diesem Dokument: Es wurde seitdem neu gelesen.
fault_encrypted = Die Datei ist mit einem Passwort gesperrt.
fault_encrypted_remedy = Speichere sie ohne Passwort und füg sie neu hinzu.
fault_damaged = Die Datei ist beschädigt.
fault_damaged_remedy = Öffne sie selbst, speichere sie neu und füg sie wieder hinzu.
fault_empty = In der Datei steht kein Text.
fault_empty_remedy = Ist sie ein Scan, füg eine Fassung mit erkanntem Text hinzu.
fault_too_large = Die Datei ist zu groß.
fault_too_large_remedy = Teile sie und füg die Teile hinzu.
fault_too_many_pages = Die Datei hat zu viele Seiten.
fault_too_many_pages_remedy = Teile sie und füg die Teile hinzu.
fault_took_too_long = Das Lesen hat zu lange gedauert.
fault_took_too_long_remedy = Teile sie und füg die Teile hinzu.
fault_too_much_memory = Das Lesen hat zu viel Speicher gebraucht.
fault_too_much_memory_remedy = Teile sie und füg die Teile hinzu.
fault_unknown_format = Solche Dateien kann Luna nicht lesen.
fault_unknown_format_remedy = Speichere sie als PDF, Word oder Text.
fault_mislabelled = Die Datei ist etwas anderes, als ihr Name sagt.
fault_mislabelled_remedy = Gib ihr die richtige Endung und füg sie neu hinzu.
fault_macros = Die Datei enthält Programme (Makros).
fault_macros_remedy = Speichere sie ohne Makros.
fault_nested_archive = In dem Archiv stecken weitere Archive.
fault_nested_archive_remedy = Pack es aus und füg die Dateien selbst hinzu.
fault_crashed = Die Datei hat das Leseprogramm beendet.
fault_crashed_remedy = Speichere sie neu oder als PDF.
fault_other = Die Datei ließ sich nicht lesen.
left_out_macros = Makros wurden weggelassen.
left_out_images_without_text = Bilder ohne erkannten Text wurden weggelassen.
left_out_attachments = Anhänge wurden weggelassen.
left_out_hidden_sheets = Ausgeblendete Blätter wurden weggelassen.
left_out_archives_left_out = Enthaltene Archive wurden weggelassen.
left_out_members_left_out = Einige enthaltene Dateien wurden weggelassen.
left_out_unreadable_pages = Einige Seiten ließen sich nicht lesen.
left_out_mislabelled = Gelesen wurde sie als das, was sie ist, nicht als das, was ihr Name sagt.
left_out_ocr = Text wurde in Bildern erkannt und kann Fehler enthalten.
