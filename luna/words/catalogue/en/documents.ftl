### What the pages of documents say: how far each is, why one failed, what it says.

documents_headline = Documents
documents_lead = Contracts, tariffs, manuals, rules: what stands here is searched when somebody asks. The files stay on this machine.
documents_count =
    { $count ->
        [one] { $count } document, { $searchable } of them searchable
       *[other] { $count } documents, { $searchable } of them searchable
    }
documents_list = What is there
documents_none = There are no documents yet.
documents_examples = Add your own, or try it with those that ship with Luna: tariffs and manuals of an example household, and the guide.
add_examples = Add the examples
documents_more = Only the newest { $count } are shown.
upload_title = Add files
upload_note = PDF, Word, PowerPoint, Excel, CSV, web pages, Markdown, text, e-mails, or a ZIP of them.
upload_files = Files
upload_send = Add
upload_progress = Sent
upload_failed = The files could not be sent.
fetch_title = Add a page from the internet
fetch_note = The page is fetched once and kept as it was.
fetch_address = Address
fetch_malformed = This is no address: it begins with https:// or http://.
fetch_send = Fetch
field_kind = What it is
field_for = For whom
for_site = this site
for_all = everybody
kind_contract = Contract
kind_tariff = Tariff
kind_manual = Manual
kind_regulation = Regulation
kind_subsidy = Subsidy
kind_other = Other
language_de = German
language_en = English
state_stored = Stored, is being read
state_extracted = Read, is being cut into passages
state_chunked = In passages, is being indexed
state_embedded = Indexed, nearly there
state_searchable = Searchable
state_failed = Could not be read
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
validity_title = How long it holds
validity_note = Answers say when a question is about another time. An empty day: nobody says.
field_valid_from = Holds from
field_valid_until = Holds until
validity_save = Save
validity_malformed = The last day lies before the first, or is none.
added = added { $day }
remove_named = Remove { $title }
remove_sure = Its text, its passages and the file go for good, with its older versions.
remove_really = Remove for good
removed = The document was removed.
added_done = Taken in. Below you see how far it is.
look_again = Look again
show_file = Original file
back_to_documents = All documents
back_to_question = Back to the answer
document_facts = About this document
document_versions = Versions
document_pages = Pages
document_page = Page { $page }
document_page_go = Go to page
document_go = Go
document_before = Before
document_after = After
document_cited = The cited passage
document_empty = No text is known of this document yet.
document_fetched = Fetched from { $url }
passage_gone = The cited passage is no longer in this document: it was read anew since.
fault_encrypted = The file is locked with a password.
fault_encrypted_remedy = Save it without a password and add it again.
fault_damaged = The file is damaged.
fault_damaged_remedy = Open it yourself, save it anew, add it again.
fault_empty = There is no text in the file.
fault_empty_remedy = If it is a scan, add a version with recognised text.
fault_too_large = The file is too large.
fault_too_large_remedy = Split it and add the parts.
fault_too_many_pages = The file has too many pages.
fault_too_many_pages_remedy = Split it and add the parts.
fault_took_too_long = Reading it took too long.
fault_took_too_long_remedy = Split it and add the parts.
fault_too_much_memory = Reading it took too much memory.
fault_too_much_memory_remedy = Split it and add the parts.
fault_unknown_format = Luna cannot read files of this kind.
fault_unknown_format_remedy = Save it as PDF, Word or text.
fault_mislabelled = The file is something else than its name says.
fault_mislabelled_remedy = Give it the right ending and add it again.
fault_macros = The file holds programs (macros).
fault_macros_remedy = Save it without macros.
fault_nested_archive = There are archives within archives.
fault_nested_archive_remedy = Unpack it and add the files themselves.
fault_crashed = The file ended what read it.
fault_crashed_remedy = Save it anew, or as PDF.
fault_other = The file could not be read.
left_out_macros = Macros were left out.
left_out_images_without_text = Pictures whose text is not recognised were left out.
left_out_attachments = Attachments were left out.
left_out_hidden_sheets = Hidden sheets were left out.
left_out_archives_left_out = Archives inside were left out.
left_out_members_left_out = Some files inside were left out.
left_out_unreadable_pages = Some pages could not be read.
left_out_mislabelled = It was read as what it is, not as what its name says.
left_out_ocr = Text was recognised in pictures and may hold mistakes.
