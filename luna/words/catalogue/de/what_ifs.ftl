title = Was wäre, wenn
headline = Was wäre mit anderer Batterie, anderem Dach oder anderem Preis?
lead = Luna berechnet vergangene Tage noch einmal mit der Änderung. Wetter, Preise und Gewohnheiten bleiben gleich.
ask_title = Deine Änderung
from = Von
to = Bis
battery = Batterie
battery_1 = wie jetzt
battery_0 = keine
battery_0-5 = halb so groß
battery_1-5 = 1,5-mal so groß
battery_2 = doppelt so groß
battery_new = Eine Batterie mit { $capacity }
battery_note = gleicher Wechselrichter
pv = Solar
pv_1 = wie jetzt
pv_0 = keine
pv_1-5 = 1,5-mal so groß
pv_2 = doppelt so groß
fixed_price = Fester Preis, { $currency } je kWh
investment = Einmalige Kosten, { $currency }
left_empty = leer: wie jetzt
left_none = leer: keine
expert = Eigene Änderung als JSON
expert_note = Felder der Einstellungsdatei, die sich ändern, etwa { $example }
ask = Vergangene Tage berechnen
ask_plan = Nur die nächsten Stunden berechnen
name_battery = Batterie × { $factor }
name_no_battery = Ohne Batterie
name_pv = Solar × { $factor }
name_no_pv = Ohne Solaranlage
name_price = Fest { $price }
name_expert = Eigene Änderung
nothing_changed = Ändere zuerst etwas.
no_json = Das ist kein JSON-Objekt. Prüfe Klammern und Anführungszeichen.
no_number = Das ist keine Zahl. Schreib sie zum Beispiel so: 0,25.
plan_title = Die nächsten Stunden
plan_cost = Kosten: { $before } jetzt, { $after } mit der Änderung
plan_unknown = Luna kann das nicht berechnen:
no_plan = Es gibt noch keinen Plan. Versuch es in ein paar Minuten noch einmal.
asked_title = Frühere Berechnungen
asked_none = Noch keine Berechnungen.
asked_days = { $first } bis { $last }
data_none = Es gibt noch keine Messwerte. Luna kann keine vergangenen Tage berechnen.
result_title = Ergebnis
result_headline = { $name } hätte { $saved } gespart.
result_worse = { $name } hätte { $lost } mehr gekostet.
open = Luna rechnet … { $done } von { $total }
failed = Das hat nicht geklappt:
look = Aktualisieren
back = Andere Änderung berechnen
progress = Fortschritt
counted = An diesen Tagen waren deine Energiekosten { $cost }. Du hast { $bought } gekauft und { $sold } verkauft.
counted_partly = Das ist für { $share } der Zeit bekannt.
counted_unknown = Die Energiekosten dieser Tage sind unbekannt: Preise oder Zählerwerte fehlen.
not_recorded = eine unbekannte Menge
differences = Die Zahlen unten vergleichen mit deinem Zuhause, wie es jetzt ist.
as_recorded = Luna vergleicht nur Haus und Batterie. Der Rest bleibt wie gemessen: { $devices }.
column_variant = Zuhause
column_saved = Gespart
column_year = Gespart pro Jahr
column_payback = Amortisiert nach
column_import = Mehr gekauft
column_export = Mehr verkauft
years =
    { $years ->
        [one] { $years } Jahr
       *[other] { $years } Jahren
    }
between = { $low } bis { $high }
few_days = Berechne mindestens vier Wochen, um Zahlen pro Jahr zu sehen.
policy =
    { $days ->
        [one] Strategie: { $policy }, { $days } Tag, { $outlook }
       *[other] Strategie: { $policy }, { $days } Tage, { $outlook }
    }
outlook_issued = mit den damaligen Prognosen
outlook_usual = mit dem Durchschnitt vergangener Tage als Prognose
