not_in_documents = Deine Dokumente beantworten das nicht.
nearest = Die am besten passenden Stellen stehen darunter.
no_documents = Es gibt noch keine Dokumente, die das beantworten könnten.
which_site = Welches Zuhause meinst du: { $names }?
recommended = Dokumente dazu: { $titles }.
nothing_to_recommend = Dazu gibt es kein Dokument.
span_from = ab { $first }
span_until = bis { $last }
span_span = vom { $first } bis { $last }
span_day = am { $first }
span_year = { $year }
span_years = von { $year } bis { $last_year }
span_today = heute
quoted = „{ $title }“
held = galt
holds = gilt
validity_holds = { $title } { $holds } { $span }.
validity_beyond = { $title } { $holds } { $span }. Die Zeit deiner Frage ({ $asked }) ist nicht enthalten.

# Warum sich mit einem Tarifblatt nicht rechnen lässt.
sheet_none = Keines deiner Dokumente nennt die Preise eines Tarifs.
sheet_which = Welches Tarifblatt meinst du: { $titles }?
sheet_market = Die Preise in { $title } folgen der Börse, damit kann Luna nicht rechnen.
sheet_net = { $title } nennt Preise ohne Steuer, damit kann Luna nicht rechnen.
sheet_no_energy = { $title } nennt keinen Preis je Kilowattstunde.
sheet_no_base = { $title } nennt keinen Grundpreis.
sheet_no_hours = { $title } nennt einen Nachtpreis, aber keine Uhrzeiten, die Luna lesen kann.
sheet_several = { $title } nennt mehrere Preise. Frage nach einem Tarif mit Namen.
