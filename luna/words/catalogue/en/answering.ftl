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

# Why a tariff sheet cannot be counted with.
sheet_none = No document of yours names the prices of a tariff.
sheet_which = Which tariff sheet do you mean: { $titles }?
sheet_market = The prices of { $title } follow the market, so Luna cannot count with them.
sheet_net = { $title } names prices without tax, so Luna cannot count with them.
sheet_no_energy = { $title } names no price of a kilowatt-hour.
sheet_no_base = { $title } names no base price.
sheet_no_hours = { $title } names a night price, but no hours that Luna can read.
sheet_several = { $title } names several prices. Ask for one of its tariffs by name.
