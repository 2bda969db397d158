### What an answer says of itself: that the documents do not hold it, what it recommends instead.

not_in_documents = Dat staat niet in je documenten.
nearest = De passages die het dichtst in de buurt komen, staan hieronder.
no_documents = Er zijn geen documenten waar het in kan staan.
recommended = Documenten hierover: { $titles }.
nothing_to_recommend = Hierover is er geen document.

# When a document holds, and when it is asked about; each begins where a sentence goes on.
span_from = vanaf { $first }
span_until = tot en met { $last }
span_span = van { $first } tot en met { $last }
span_day = op { $first }
span_year = in { $year }
span_years = van { $year } tot en met { $last_year }
span_today = vandaag

# A document's name, and that it held, or holds.
quoted = “{ $title }”
held = gold
holds = geldt
validity_holds = { $title } { $holds } { $span }.
validity_beyond = { $title } { $holds } { $span }; wat { $asked } { $asked_holds }, staat er niet in.
