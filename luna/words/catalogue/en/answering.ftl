### Sentences of answers from documents: no document answers, which documents to read, when a document applies.

not_in_documents = Your documents do not answer this.
nearest = The best matching passages are below.
no_documents = There are no documents yet that could answer this.
which_site = Which home do you mean: { $names }?
recommended = Documents on this: { $titles }.
nothing_to_recommend = There is no document on this.

# When a document applies, and the time that a question is about; each begins within a sentence.
span_from = from { $first }
span_until = until { $last }
span_span = from { $first } to { $last }
span_day = on { $first }
span_year = in { $year }
span_years = from { $year } to { $last_year }
span_today = today

# A document's name, and that it applied, or applies.
quoted = “{ $title }”
held = applied
holds = applies
validity_holds = { $title } { $holds } { $span }.
validity_beyond = { $title } { $holds } { $span }. It does not cover your question's time ({ $asked }).
