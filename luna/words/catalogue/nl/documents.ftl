### What the pages of documents say: how far each is, why one failed, what it says.

documents_headline = Documenten
documents_lead = Contracten, tarieven, handleidingen, regels: wat hier staat, wordt doorzocht als iemand iets vraagt. De bestanden blijven op deze computer.
documents_count =
    { $count ->
        [one] { $count } document, waarvan { $searchable } doorzoekbaar
       *[other] { $count } documenten, waarvan { $searchable } doorzoekbaar
    }
documents_list = Wat er is
documents_none = Er zijn nog geen documenten.
documents_examples = Voeg je eigen documenten toe, of probeer het met die van Luna: tarieven en handleidingen van een voorbeeldhuishouden, en de gids.
add_examples = Voorbeelden toevoegen
documents_more = Alleen de nieuwste { $count } worden getoond.
upload_title = Bestanden toevoegen
upload_note = PDF, Word, PowerPoint, Excel, CSV, webpagina’s, Markdown, tekst, e-mails, of een ZIP ervan.
upload_files = Bestanden
upload_send = Toevoegen
upload_progress = Verstuurd
upload_failed = De bestanden konden niet worden verstuurd.
fetch_title = Een pagina van internet toevoegen
fetch_note = De pagina wordt één keer opgehaald en bewaard zoals hij was.
fetch_address = Adres
fetch_malformed = Dit is geen adres: het begint met https:// of http://.
fetch_send = Ophalen
field_kind = Wat het is
field_for = Voor wie
for_site = deze locatie
for_all = iedereen
kind_contract = Contract
kind_tariff = Tarief
kind_manual = Handleiding
kind_regulation = Regelgeving
kind_subsidy = Subsidie
kind_other = Overig
language_de = Duits
language_en = Engels
state_stored = Opgeslagen, wordt gelezen
state_extracted = Gelezen, wordt in passages verdeeld
state_chunked = In passages, wordt geïndexeerd
state_embedded = Geïndexeerd, bijna klaar
state_searchable = Doorzoekbaar
state_failed = Kon niet worden gelezen
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
validity_title = Hoe lang het geldt
validity_note = Antwoorden zeggen het erbij als een vraag over een andere tijd gaat. Lege dag: niet bekend.
field_valid_from = Geldt vanaf
field_valid_until = Geldt tot en met
validity_save = Opslaan
validity_malformed = De laatste dag ligt vóór de eerste, of is geen dag.
added = toegevoegd { $day }
remove_named = { $title } verwijderen
remove_sure = De tekst, de passages en het bestand verdwijnen voorgoed, met de oudere versies.
remove_really = Voorgoed verwijderen
removed = Het document is verwijderd.
added_done = Ontvangen. Hieronder zie je hoe ver het is.
look_again = Opnieuw kijken
show_file = Origineel bestand
back_to_documents = Alle documenten
back_to_question = Terug naar het antwoord
document_facts = Over dit document
document_versions = Versies
document_pages = Pagina’s
document_page = Pagina { $page }
document_page_go = Naar pagina
document_go = Ga
document_before = Ervoor
document_after = Erna
document_cited = De aangehaalde passage
document_empty = Van dit document is nog geen tekst bekend.
document_fetched = Opgehaald van { $url }
passage_gone = De aangehaalde passage staat niet meer in dit document: het is intussen opnieuw gelezen.
fault_encrypted = Het bestand is met een wachtwoord beveiligd.
fault_encrypted_remedy = Sla het zonder wachtwoord op en voeg het opnieuw toe.
fault_damaged = Het bestand is beschadigd.
fault_damaged_remedy = Open het zelf, sla het opnieuw op en voeg het nog eens toe.
fault_empty = Er staat geen tekst in het bestand.
fault_empty_remedy = Is het een scan, voeg dan een versie met herkende tekst toe.
fault_too_large = Het bestand is te groot.
fault_too_large_remedy = Splits het en voeg de delen toe.
fault_too_many_pages = Het bestand heeft te veel pagina’s.
fault_too_many_pages_remedy = Splits het en voeg de delen toe.
fault_took_too_long = Het lezen duurde te lang.
fault_took_too_long_remedy = Splits het en voeg de delen toe.
fault_too_much_memory = Het lezen kostte te veel geheugen.
fault_too_much_memory_remedy = Splits het en voeg de delen toe.
fault_unknown_format = Dit soort bestanden kan Luna niet lezen.
fault_unknown_format_remedy = Sla het op als PDF, Word of tekst.
fault_mislabelled = Het bestand is iets anders dan de naam zegt.
fault_mislabelled_remedy = Geef het de juiste extensie en voeg het opnieuw toe.
fault_macros = Het bestand bevat programma’s (macro’s).
fault_macros_remedy = Sla het zonder macro’s op.
fault_nested_archive = Er zitten archieven in archieven.
fault_nested_archive_remedy = Pak het uit en voeg de bestanden zelf toe.
fault_crashed = Het bestand liet het leesprogramma vastlopen.
fault_crashed_remedy = Sla het opnieuw op, of als PDF.
fault_other = Het bestand kon niet worden gelezen.
left_out_macros = Macro’s zijn weggelaten.
left_out_images_without_text = Afbeeldingen zonder herkende tekst zijn weggelaten.
left_out_attachments = Bijlagen zijn weggelaten.
left_out_hidden_sheets = Verborgen bladen zijn weggelaten.
left_out_archives_left_out = Ingesloten archieven zijn weggelaten.
left_out_members_left_out = Enkele ingesloten bestanden zijn weggelaten.
left_out_unreadable_pages = Sommige pagina’s konden niet worden gelezen.
left_out_mislabelled = Het is gelezen als wat het is, niet als wat de naam zegt.
left_out_ocr = Tekst in afbeeldingen is herkend en kan fouten bevatten.
