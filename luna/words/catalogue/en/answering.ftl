### What an answer says of itself: that the documents do not hold it, what it recommends instead.

not_in_documents = Your documents do not say that.
nearest = The passages that come closest stand below.
no_documents = There are no documents that could say it.
recommended = Documents on this: { $titles }.
nothing_to_recommend = There is no document on this.

# When a document holds, and when it is asked about; each begins where a sentence goes on.
span_from = from { $first }
span_until = until { $last }
span_span = from { $first } to { $last }
span_day = on { $first }
span_year = in { $year }
span_years = from { $year } to { $last_year }
span_today = today

# A document's name, and that it held, or holds.
quoted = “{ $title }”
held = held
holds = holds
validity_holds = { $title } { $holds } { $span }.
validity_beyond = { $title } { $holds } { $span }; what { $asked_holds } { $asked } it does not say.
