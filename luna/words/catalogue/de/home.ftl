### Die Seite Übersicht.

title = Übersicht
live = Live
live_since = Werte seit { $t }
live_old = { $age } alt
live_none = Keine aktuellen Werte
minutes = { $n } min
hours = { $n } h
days =
    { $n ->
        [one] { $n } Tag
       *[other] { $n } Tage
    }

## Die Überschrift: was die Batterie jetzt tut und bis wann, dann was folgt.

# $until ist leer, oder ein Leerzeichen und die nächste Meldung.
until_time = bis { $t }
now_full = { $name } ist voll und wartet{ $until }
now_reserve = { $name } ist bei der Reserve und wartet{ $until }
now_filled = { $name } ist so voll wie geplant und lädt{ $until } nicht weiter
now_drained = { $name } ist so leer wie geplant und gibt{ $until } nichts mehr ab
now_save = { $name } speichert{ $until } nur Solarüberschuss
now_hold = { $name } macht{ $until } Pause
now_self_consumption = { $name } deckt{ $until } deinen Eigenverbrauch
now_supply = { $name } versorgt{ $until } das Haus
now_charge = { $name } lädt{ $until } aus dem Netz
now_export = { $name } verkauft{ $until } Strom ins Netz
headline_then = { $now }, dann { $next }.
next_save = speichert sie nur Solarüberschuss
next_hold = macht sie Pause
next_self_consumption = deckt sie deinen Eigenverbrauch
next_supply = versorgt sie das Haus
next_charge = lädt sie aus dem Netz
next_export = verkauft sie Strom ins Netz
# Bei ausgeschalteter Steuerung, unter dieser Zeile: was Luna tun würde.
would = Luna steuert nicht. Luna würde:
would_save = nur Solarüberschuss{ $until } speichern
would_hold = die Batterie{ $until } pausieren
would_self_consumption = deinen Eigenverbrauch{ $until } decken
would_supply = das Haus{ $until } versorgen
would_charge = die Batterie{ $until } aus dem Netz laden
would_export = Strom{ $until } ins Netz verkaufen
would_then = { $now }, dann { $next }.
# Die Batterie folgt dem Plan nicht.
now_silent = { $name } antwortet nicht.
now_disobeys = { $name } führt den Befehl von Luna nicht aus.
now_spared = { $name } hat für heute genug Änderungen bekommen.
now_kept = { $name } bleibt im jetzigen Modus.
lead_left_alone = Sie läuft jetzt eigenständig. Die Schritte unten zeigen den Plan.
lead_kept = Ein Wechsel spart jetzt weniger, als er das Gerät verschleißt. Die Schritte unten zeigen den Plan.
battery_subject = Die Batterie
# Ein Haus ohne Batterie.
without_battery_solar = Dein Haus nutzt zuerst Solarstrom, dann das Netz.
without_battery_limited = Solar wird jetzt gedrosselt.
without_battery = Dein Haus läuft mit Strom aus dem Netz.
details = Details

## Die Schritte, und die Marke im Diagramm.

steps = Die nächsten Schritte
now = Jetzt
step_save = { $name } speichert nur Solarüberschuss
step_save_selling = { $name } wartet, Solarüberschuss wird verkauft
step_hold = { $name } macht Pause
step_self_consumption = { $name } deckt deinen Eigenverbrauch
step_supply = { $name } gibt dem Haus { $kwh }
step_charge = { $name } lädt { $kwh } zu { $price }
step_export = { $name } verkauft { $kwh }
step_owner = Deine Vorgabe: { $mode }
step_car = { $name } lädt { $kwh } für { $cost } ({ $price }), fertig bis { $t }
step_heater = { $name } heizt mit { $kwh } für { $cost } bis { $t }
step_appliance = { $name } läuft mit { $kwh } für { $cost }, fertig um { $t }

## Zahlen.

fact_cost = Kosten, nächste 24 h
fact_cost_note = ohne Luna { $x }
fact_paid = Heute bisher bezahlt
fact_paid_note = { $x } bis Mitternacht
fact_paid_note_yesterday = gestern { $x }
fact_would_save = Luna würde heute sparen
fact_solar = Solar heute
fact_solar_note = noch { $x } erwartet
fact_stored = In der Batterie
fact_stored_each = { $name }, gespeichert
fact_stored_note = { $x } wert
fact_saved = Heute gespart
fact_saved_note = gestern { $x }
fact_car = Auto, { $t }
fact_car_note = { $x } beim Anstecken

## Energie jetzt.

flow = Energie jetzt
flow_none = Keine aktuellen Messwerte.
flow_ago = vor { $n } s
flow_since = seit { $t }
flow_car = Auto
flow_grid = Netz
flow_house = Haus
flow_battery = Batterie
flow_batteries = Batterien
flow_solar = Solar
flow_off = aus
flow_selling = Einspeisung
flow_buying = Netzbezug
flow_stays = angesteckt
flow_plugged = erwartet { $t }
steering = Geräte in diesem Moment
unknown = keine Daten

## Der Plan und sein Diagramm.

plan = Plan
plan_note = erstellt { $t }
plan_note_prices = Preise bekannt bis { $t }
plan_note_predicted = mit Preisprognose
chart_label = Diagramm des Plans. Die Pfeiltasten gehen um eine Viertelstunde weiter, Bild auf und Bild ab um eine Stunde. Pos1 springt zu jetzt.
chart_values = Werte der gewählten Zeit
no_chart = Das Diagramm braucht JavaScript. Die Tabelle zeigt alle Werte.
compare = Vergleichen mit
show = Anzeigen
ghost_without = Ohne Luna
ghost_midnight = Plan um Mitternacht
ghost_forecast = Frühere Prognose
table = Tabelle
save_csv = CSV
save_png = Bild
span_day = Tag
span_all = 3 Tage
price = Preis
power = Leistung
soc = Ladestand
soc_together = Ladestand aller Batterien
target = Ziel
used = verbraucht
supplied = geliefert
plan_of = Plan von { $t }
expected = erwartet
measured = gemessen
estimated = geschätzt
planned = geplant
band = Schwankungsbereich
held = gedrosselt
reserve = Reserve
cheap = günstig
dear = teuer
predicted = Preisprognose
buy = Kauf
sell = Verkauf
hourly = Stundenmittel
daily = Tagesmittel
beside_house = Geräte
plan_changed = Neuer Plan ab { $t }: { $mode }.
offline = Verbindung verloren. Du siehst die letzten bekannten Werte.

## Warum.

why = Warum
why_none = Für diese Zeit gibt es keinen Plan.
why_more = Mehr oder weniger anzeigen
part_of = Teil von { $span }
energy_value = Wert gespeicherter Energie
worth_later = Energie in der Batterie ist später { $value }/kWh wert; jetzt genutzt spart sie { $now }.
worth_later_sold = Energie in der Batterie ist später { $value }/kWh wert; jetzt verkauft bringt sie { $now }.
worth_then = Energie in der Batterie war für später { $value }/kWh wert; sofort genutzt sparte sie { $now }.
worth_then_sold = Energie in der Batterie war für später { $value }/kWh wert; sofort verkauft brachte sie { $now }.
prices = Kaufen kostet { $buy }, Verkaufen bringt { $sell }
low_part_title = Gerade günstiger
low_part = { $name } ({ $price } statt bis zu { $highest })
opposite = Alternative
opposite_more = { $x } teurer
opposite_same = kein Unterschied
rank = Preisvergleich
binding = Begrenzt durch
binding_reserve = die Reserve von { $soc }
none = nichts
decided_by = Entschieden von
by_planner = Luna
by_owner = dir
by_rule = Ersatzregel (kein Plan)
by_agent = Antares
by_nobody = niemandem
result = Gemessen
result_soc = Ladestand { $soc } am Ende
override = Eigene Vorgabe
override_until = bis
override_ends = Danach gilt wieder der Plan.
override_not_armed = Die Steuerung ist aus. Luna merkt sich deine Vorgabe und sendet sie, sobald die Steuerung an ist.
override_by_hand = Luna berät nur. Luna plant mit deiner Vorgabe; die Batterie stellst du selbst ein.

## Was von Hand einzustellen ist.

advice = Einstellungen für deine Batterie
advice_until = Bis { $end }: { $deed }.
advice_span = Von { $start } bis { $end }: { $deed }.
advice_on = Ab { $start }: { $deed }.
advice_now = Ab jetzt: { $deed }.
advice_set = { $deed } (stell das in der App deiner Batterie ein)
deed_self_consumption = die Batterie im Normalbetrieb lassen
deed_save = Solarüberschuss speichern, Entladen sperren
deed_hold = Laden und Entladen sperren
deed_charge = mit { $kw } kW aus dem Netz laden, bis { $soc }
deed_export = mit { $kw } kW aus der Batterie verkaufen, bis { $soc }

## Hinweise.

notice_limit_unkept = Die Steuerung ist aus, deshalb hält Luna das nicht für dich ein.
notice_override = Deine Vorgabe: { $mode } bis { $t }.
notice_not_sent = Die Steuerung ist aus, Luna sendet nichts. Schalte die Steuerung unter Zeitplan ein.
notice_by_hand = Luna berät nur. Stell das selbst ein.
notice_cannot_send = Luna kann deine Geräte noch nicht steuern. Richte die Steuerung auf der Seite deines Zuhauses ein.
end_now = Jetzt beenden
extend = 1 h verlängern
notice_stale = Deine Zähler senden seit { $t } keine Werte.
notice_stale_more = Der Plan bleibt. Angezeigt wird der geplante Ladestand.
notice_unknown = Dein Verbrauch ist seit { $t } unbekannt.
notice_unknown_more = Ein Zähler sendet keine neuen Werte. Prüfe deine Zähler. Der Plan bleibt.
notice_soc_assumed = Ladestand unbekannt, Luna rechnet mit { $soc }.
notice_soc_assumed_silent = Der Sensor für den Ladestand sendet keine Werte. Prüfe ihn.
notice_soc_assumed_unnamed = Verbinde einen Sensor auf der Seite deines Zuhauses unter Sensoren, oder lade eine Datei mit den Werten.
assumed_ahead = geplant (angenommen)
notice_doubt_more = Geräte senden solche Werte nach einem Neustart. Luna übernimmt den Wert, wenn er 15 Minuten bleibt.
notice_prices = Die Preise für morgen fehlen noch.
notice_prices_today = Die Preise für heute fehlen.
notice_prices_today_more = Luna plant mit einer Preisprognose.
notice_prices_more = Luna plant ab { $t } mit einer Preisprognose.
notice_fallback = Seit { $age } kein gültiger Plan.
notice_fallback_more = Der Wechselrichter deckt so lange deinen Eigenverbrauch.
notice_fallback_car = Nach dem letzten Plan ist das Auto um { $t } fertig.
notice_planning = Ein neuer Plan kommt meist in wenigen Sekunden.
notice_tried = Letzter Versuch: { $t }. Luna versucht es alle fünf Minuten und bei jeder Änderung.
plan_now = Jetzt planen
no_plan_now = Gerade gibt es keinen Plan.
no_plan = Es gibt noch keinen Plan.
no_plan_lead = Luna plant, sobald Preise und eine Prognose da sind. Luna steuert nichts, bis du die Steuerung einschaltest.

## Die Spalten der Tabelle.

table_title = Jede Viertelstunde
table_time = Zeit
table_mode = Modus
table_state = Grundlage
table_why = Warum
back = Zurück zum Diagramm
steered_title = Was die Geräte dazwischen taten
