### Sentences of answers from documents: no document answers, which documents to read, when a document applies.

not_in_documents = Je documenten geven hier geen antwoord op.
nearest = De best passende passages staan hieronder.
no_documents = Er zijn nog geen documenten die hier antwoord op geven.
which_site = Welk huis bedoel je: { $names }?
recommended = Documenten hierover: { $titles }.
nothing_to_recommend = Hierover is geen document.

# When a document applies, and the time that a question is about; each begins within a sentence.
span_from = vanaf { $first }
span_until = tot en met { $last }
span_span = van { $first } tot en met { $last }
span_day = op { $first }
span_year = in { $year }
span_years = van { $year } tot en met { $last_year }
span_today = vandaag

# A document's name, and that it applied, or applies.
quoted = “{ $title }”
held = gold
holds = geldt
validity_holds = { $title } { $holds } { $span }.
validity_beyond = { $title } { $holds } { $span }. De tijd van je vraag ({ $asked }) valt daarbuiten.

# Waarom met een tariefblad niet te rekenen is.
sheet_none = Geen van je documenten noemt de prijzen van een tarief.
sheet_which = Welk tariefblad bedoel je: { $titles }?
sheet_market = De prijzen in { $title } volgen de beurs, daar kan Luna niet mee rekenen.
sheet_net = { $title } noemt prijzen zonder belasting, daar kan Luna niet mee rekenen.
sheet_no_energy = { $title } noemt geen prijs per kilowattuur.
sheet_no_base = { $title } noemt geen vaste kosten.
sheet_no_hours = { $title } noemt een nachttarief, maar geen uren die Luna kan lezen.
sheet_several = { $title } noemt meer prijzen. Vraag naar één tarief bij naam.
