### The list of documents, adding one, its state, its text.

documents_headline = Documents
documents_lead = Luna searches your contracts, tariffs and manuals when you ask a question. The files stay on this computer.
documents_count =
    { $count ->
        [one] { $count } document, { $searchable } ready
       *[other] { $count } documents, { $searchable } ready
    }
documents_list = Your documents
documents_none = There are no documents yet.
documents_examples = Add your own, or try the examples: tariffs and manuals of a sample household, and the guide.
add_examples = Add the examples
documents_more = This list shows the newest { $count }.
upload_title = Add files
upload_note = PDF, Word, PowerPoint, Excel, CSV, web pages, Markdown, text, e-mails, or a ZIP of them.
upload_files = Files
upload_send = Add
upload_progress = Sent
upload_failed = Your browser could not send the files. Try again.
fetch_title = Add a web page
fetch_note = Luna loads the page once and keeps that version.
fetch_address = Address
fetch_malformed = An address begins with https:// or http://.
fetch_send = Add page
field_kind = Type
field_for = Visible to
for_site = this home
for_all = all homes
kind_contract = Contract
kind_tariff = Tariff
kind_manual = Manual
kind_regulation = Regulation
kind_subsidy = Subsidy
kind_other = Other
language_de = German
language_en = English
state_stored = Saved, being read
state_extracted = Read, being split
state_chunked = Split, being prepared for search
state_embedded = Almost ready
state_searchable = Ready
state_failed = Not readable
state_older = Older version
step = step { $done } of { $total }
version = version { $version }
pages =
    { $count ->
        [one] 1 page
       *[other] { $number } pages
    }
passages =
    { $count ->
        [one] 1 passage
       *[other] { $number } passages
    }
dated = of { $day }
validity_title = When it applies
validity_note = Luna mentions these days when you ask about another time. Leave a day empty if you do not know it.
field_valid_from = Applies from
field_valid_until = Applies until
validity_save = Save
validity_malformed = The last day must not be before the first. Check both days.
added = added { $day }
remove_named = Delete { $title }
remove_sure = This deletes the file, its text and its older versions. You cannot undo it.
remove_really = Delete
removed = Luna has deleted the document.
added_done = Added. The list below shows the progress.
look_again = Refresh
show_file = Original file
back_to_documents = All documents
back_to_question = Back to the answer
document_facts = About this document
document_versions = Versions
document_pages = Pages
document_page = Page { $page }
document_page_go = Page number
document_go = Open
document_before = Previous
document_after = Next
document_cited = Quoted passage
document_empty = Luna has no text of this document yet.
document_fetched = Loaded from { $url }
passage_gone = The quoted passage is no longer in this document, because Luna has read the document again.
fault_encrypted = The file has a password.
fault_encrypted_remedy = Save it without a password and add it again.
fault_damaged = The file is damaged.
fault_damaged_remedy = Open it, save it again and add the new file.
fault_empty = The file has no text.
fault_empty_remedy = If it is a scan, add a version with text recognition.
fault_too_large = The file is too large.
fault_too_large_remedy = Split it and add the parts.
fault_too_many_pages = The file has too many pages.
fault_too_many_pages_remedy = Split it and add the parts.
fault_took_too_long = Reading the file took too long.
fault_took_too_long_remedy = Split it and add the parts.
fault_too_much_memory = The file needs too much memory.
fault_too_much_memory_remedy = Split it and add the parts.
fault_unknown_format = Luna cannot read this type of file.
fault_unknown_format_remedy = Save it as PDF, Word or text.
fault_mislabelled = The file's content does not match its name.
fault_mislabelled_remedy = Give it the right file extension and add it again.
fault_macros = The file contains macros (programs).
fault_macros_remedy = Save it without macros.
fault_nested_archive = The archive contains further archives.
fault_nested_archive_remedy = Unpack it and add the files.
fault_crashed = Luna could not read the file to its end.
fault_crashed_remedy = Save it again, or as PDF.
fault_other = Luna could not read the file. Save it as PDF and add it again.
left_out_macros = Without its macros.
left_out_images_without_text = Without pictures that have no readable text.
left_out_attachments = Without its attachments.
left_out_hidden_sheets = Without hidden sheets.
left_out_archives_left_out = Without the archives it contains.
left_out_members_left_out = Without some files it contains.
left_out_unreadable_pages = Without some unreadable pages.
left_out_mislabelled = Read by its content, because the file name does not match.
left_out_ocr = With text recognition, which may contain errors.
