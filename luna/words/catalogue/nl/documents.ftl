### The list of documents, adding one, its state, its text.

documents_headline = Documenten
documents_lead = Luna doorzoekt je contracten, tarieven en handleidingen als je iets vraagt. De bestanden blijven op deze computer.
documents_count =
    { $count ->
        [one] { $count } document, { $searchable } klaar
       *[other] { $count } documenten, { $searchable } klaar
    }
documents_list = Je documenten
documents_none = Er zijn nog geen documenten.
documents_examples = Voeg je eigen toe, of probeer de voorbeelden: tarieven en handleidingen van een voorbeeldhuishouden, en de handleiding van Luna.
add_examples = Voorbeelden toevoegen
documents_more = De lijst toont de nieuwste { $count }.
upload_title = Bestanden toevoegen
upload_note = PDF, Word, PowerPoint, Excel, CSV, webpagina’s, Markdown, tekst, e-mails, of een ZIP ervan.
upload_files = Bestanden
upload_send = Toevoegen
upload_progress = Verstuurd
upload_failed = De bestanden zijn niet verstuurd. Probeer het opnieuw.
fetch_title = Webpagina toevoegen
fetch_note = Luna laadt de pagina één keer en bewaart die versie.
fetch_address = Adres
fetch_malformed = Een adres begint met https:// of http://.
fetch_send = Pagina toevoegen
field_kind = Soort
field_for = Zichtbaar voor
for_site = dit huis
for_all = alle huizen
kind_contract = Contract
kind_tariff = Tarief
kind_manual = Handleiding
kind_regulation = Regelgeving
kind_subsidy = Subsidie
kind_other = Overig
language_de = Duits
language_en = Engels
state_stored = Opgeslagen, wordt gelezen
state_extracted = Gelezen, wordt opgedeeld
state_chunked = Opgedeeld, wordt klaargemaakt voor zoeken
state_embedded = Bijna klaar
state_searchable = Klaar
state_failed = Niet leesbaar
state_older = Oudere versie
step = stap { $done } van { $total }
version = versie { $version }
pages =
    { $count ->
        [one] 1 pagina
       *[other] { $number } pagina’s
    }
passages =
    { $count ->
        [one] 1 passage
       *[other] { $number } passages
    }
dated = van { $day }
validity_title = Wanneer het geldt
validity_note = Luna noemt deze dagen als je naar een andere tijd vraagt. Laat een dag leeg als je hem niet weet.
field_valid_from = Geldt vanaf
field_valid_until = Geldt tot en met
validity_save = Opslaan
validity_malformed = De laatste dag mag niet vóór de eerste liggen. Controleer beide dagen.
added = toegevoegd { $day }
remove_named = { $title } verwijderen
remove_sure = Dit verwijdert het bestand, de tekst en oudere versies. Je kunt het niet ongedaan maken.
remove_really = Verwijderen
removed = Het document is verwijderd.
added_done = Toegevoegd. De lijst hieronder toont de voortgang.
look_again = Vernieuwen
show_file = Origineel bestand
back_to_documents = Alle documenten
back_to_question = Terug naar het antwoord
document_facts = Over dit document
document_versions = Versies
document_pages = Pagina’s
document_page = Pagina { $page }
document_page_go = Paginanummer
document_go = Openen
document_before = Vorige
document_after = Volgende
document_cited = Geciteerde passage
document_empty = Luna heeft van dit document nog geen tekst.
document_fetched = Geladen van { $url }
passage_gone = De geciteerde passage staat niet meer in het document, omdat Luna het opnieuw heeft gelezen.
fault_encrypted = Het bestand heeft een wachtwoord.
fault_encrypted_remedy = Sla het op zonder wachtwoord en voeg het opnieuw toe.
fault_damaged = Het bestand is beschadigd.
fault_damaged_remedy = Open het, sla het opnieuw op en voeg het nieuwe bestand toe.
fault_empty = Het bestand bevat geen tekst.
fault_empty_remedy = Is het een scan, voeg dan een versie met tekstherkenning toe.
fault_too_large = Het bestand is te groot.
fault_too_large_remedy = Splits het en voeg de delen toe.
fault_too_many_pages = Het bestand heeft te veel pagina’s.
fault_too_many_pages_remedy = Splits het en voeg de delen toe.
fault_took_too_long = Het lezen van het bestand duurde te lang.
fault_took_too_long_remedy = Splits het en voeg de delen toe.
fault_too_much_memory = Het bestand heeft te veel geheugen nodig.
fault_too_much_memory_remedy = Splits het en voeg de delen toe.
fault_unknown_format = Luna kan dit soort bestand niet lezen.
fault_unknown_format_remedy = Sla het op als PDF, Word of tekst.
fault_mislabelled = De inhoud van het bestand past niet bij de naam.
fault_mislabelled_remedy = Geef het de juiste extensie en voeg het opnieuw toe.
fault_macros = Het bestand bevat macro’s (programma’s).
fault_macros_remedy = Sla het op zonder macro’s.
fault_nested_archive = Het archief bevat andere archieven.
fault_nested_archive_remedy = Pak het uit en voeg de bestanden toe.
fault_crashed = Luna kon het bestand niet tot het einde lezen.
fault_crashed_remedy = Sla het opnieuw op, of als PDF.
fault_other = Luna kon het bestand niet lezen. Sla het op als PDF en voeg het opnieuw toe.
left_out_macros = Zonder de macro’s.
left_out_images_without_text = Zonder afbeeldingen waarvan de tekst niet leesbaar is.
left_out_attachments = Zonder de bijlagen.
left_out_hidden_sheets = Zonder verborgen bladen.
left_out_archives_left_out = Zonder de archieven die erin zitten.
left_out_members_left_out = Zonder enkele bestanden die erin zitten.
left_out_unreadable_pages = Zonder enkele onleesbare pagina’s.
left_out_mislabelled = Gelezen op inhoud, omdat de bestandsnaam niet klopt.
left_out_ocr = Met tekstherkenning, die fouten kan bevatten.
