### Die Seite Energie: Energie und Geld eines Tages, einer Woche, eines Monats oder Jahres.

title = Energie
lead = Was dein Haus verbraucht und erzeugt hat, und was es gekostet hat.
unit_day = Tag
unit_week = Woche
unit_month = Monat
unit_year = Jahr
choose_period = Zeitraum
earlier = Früher
later = Später
today = Heute
until = Gezählt bis { $day }, { $clock }
cost_title = Kosten
cost_unknown = Die Kosten sind unbekannt: Preise oder Zählerwerte fehlen.
used_title = Verbraucht
bought_title = Gekauft
sold_title = Verkauft
produced_title = Erzeugt
not_recorded = keine Werte
own_supply = { $share } Autarkie
own_use = { $share } davon hast du selbst genutzt
previous_title = Vergleich
column_energy = Energie
column_kwh = kWh
column_share = Anteil
column_line = Posten
column_cost = Kosten
column_now = Dieser Zeitraum
column_previous = Zeitraum davor
column_year_before = Ein Jahr davor
row_consumption = Verbraucht
row_import = Gekauft
row_pv = Erzeugt
row_export = Verkauft
row_self_sufficiency = Autarkie
row_cost = Kosten
so_far = Alle Zeiträume hier sind gleich lang.
compared_measured = { $period } · { $share } gemessen
compared_empty = Vom Zeitraum davor und vom Jahr davor gibt es noch keine Werte.
sources_title = Woher der Strom kam
uses_title = Wohin der Strom ging
bill_title = Die Rechnung
bill_without_demand = Der Leistungspreis kommt einmal im Monat und steht nicht hier.
shares_title = Woher jeder Verbraucher seinen Strom bekam
column_use = Verbraucher
column_solar = Solar
column_battery = Batterie
column_grid = Netz
column_grid_cost = Netzkosten
shares_note = Luna kann nicht messen, welchen Strom ein Gerät nutzt. Alle bekommen dieselbe Mischung aus Solar, Batterie und Netz.
shares_partial = Hier zählen nur Zeiten mit allen Messwerten.
unmeasured_source = Nicht gemessen (Netz oder Batterie)
unmetered = { $devices } { $count ->
        [one] hat
       *[other] haben
    } keinen eigenen Zähler und { $count ->
        [one] zählt
       *[other] zählen
    } zum Haus.
partly_known = Zählerwerte gibt es für { $share } der Zeit.
partly_priced = Die Kosten sind für { $share } der Zeit bekannt.
estimated = { $energy } davon sind geschätzt.
chart_label = Energie je { $part }
part_day = Stunde
part_week = Tag
part_month = Tag
part_year = Monat
chart_title = Verbrauch und Herkunft
chart_note = über der Linie: verbraucht, gespeichert und verkauft · unter der Linie: Solar, Batterie und Netz
cost_chart_title = Kosten
cost_chart_label = Kosten je { $part }
cost_chart_note = Energie ohne Leistungspreis
paid = Bezahlt
earned = Verdient
part_cost_unknown = nicht bekannt
as_table = Als Tabelle
column_start = Ab
download = Als CSV herunterladen
empty_title = Für diesen Zeitraum gibt es keine Werte.
empty_lead = Wähle einen anderen Zeitraum, oder sieh auf der Seite Daten nach, ob dein Zähler Werte sendet.
