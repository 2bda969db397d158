title = Was wäre wenn
headline = Was wäre, wenn dieses Haus ein anderes wäre?
lead = Aufgezeichnete Tage werden noch einmal durchlebt, mit dem Haus, wie es ist und wie es wäre: gleiches Wetter, gleiche Preise, gleiche Gewohnheiten.
ask_title = Fragen
from = Von
to = Bis
battery = Batterie
battery_1 = wie sie ist
battery_0 = keine
battery_0-5 = halb so groß
battery_1-5 = anderthalbmal so groß
battery_2 = doppelt so groß
battery_new = Eine Batterie mit { $capacity }
battery_note = gleicher Wechselrichter
pv = Solaranlage
pv_1 = wie sie ist
pv_0 = keine
pv_1-5 = anderthalbmal so groß
pv_2 = doppelt so groß
fixed_price = Fester Preis, { $currency } je kWh
investment = Kostet einmalig, { $currency }
left_empty = leer: wie es ist
expert = Eigene Änderung als JSON
expert_note = Die Felder der Datei der Anlage, die sich ändern, etwa { $example }
ask = Die Tage noch einmal durchleben
ask_plan = Nur die nächsten Stunden planen
name_battery = Batterie × { $factor }
name_no_battery = Ohne Batterie
name_pv = Solar × { $factor }
name_no_pv = Ohne Solar
name_price = Fest { $price }
name_expert = Eigene Änderung
nothing_changed = Ändere erst etwas: So, wie es ist, wäre nichts anders.
no_json = ist kein JSON-Objekt: { $said }
no_number = ist keine Zahl
plan_title = Die nächsten Stunden
plan_cost = { $before }, wie es ist, { $after } dann
plan_unknown = Das lässt sich nicht sagen:
no_plan = Noch gibt es keinen Plan.
asked_title = Zuletzt gefragt
asked_none = Noch wurde nichts gefragt.
asked_days = { $first } bis { $last }
data_none = Noch ist nichts aufgezeichnet: Kein Tag lässt sich noch einmal durchleben.
result_title = Was daraus wurde
result_headline = { $name } hätte { $saved } gespart.
result_worse = { $name } hätte { $lost } mehr gekostet.
open =
    { $total ->
        [one] { $done } von { $total } Leben ist durchlebt.
       *[other] { $done } von { $total } Leben sind durchlebt.
    }
failed = Das hat nicht geklappt:
look = Nachsehen
back = Etwas anderes fragen
progress = Fortschritt
counted = An diesen Tagen hast du { $cost } für Energie bezahlt, { $bought } gekauft und { $sold } verkauft.
counted_partly = Das ist für { $share } der Zeit bekannt.
counted_unknown = Was du an diesen Tagen bezahlt hast, ist nicht bekannt: Preise oder Zählerwerte fehlen.
not_recorded = eine nicht aufgezeichnete Menge
differences = Die Zahlen darunter sind Unterschiede zu deinem Haus, wie es ist, mit derselben Steuerung.
as_recorded = Verglichen werden Haus und Batterie; { $devices } bleiben wie aufgezeichnet.
column_variant = Haus
column_saved = Gespart
column_year = Gespart im Jahr
column_payback = Bezahlt nach
column_import = Mehr gekauft
column_export = Mehr verkauft
years =
    { $years ->
        [one] { $years } Jahr
       *[other] { $years } Jahren
    }
between = { $low } bis { $high }
few_days = Weniger als vier Wochen sagen nichts über Jahre.
policy =
    { $days ->
        [one] { $policy }, { $days } Tag, aus Prognosen { $outlook }
       *[other] { $policy }, { $days } Tage, aus Prognosen { $outlook }
    }
outlook_issued = wie damals erstellt
outlook_usual = des Üblichen
