### Was die Regelung gerade mit einem Gerät macht, und warum.

# $name ist ein Gerät, $action einer der Texte unten.
now_as_planned = { $name }: { $action }, wie geplant
now_own_control = { $name }: läuft von selbst
now_follows_surplus = { $name }: nutzt Solarüberschuss, { $action }
now_waits_for_surplus = { $name }: wartet auf mehr Sonne
now_keeps_floor = { $name }: bleibt bei der kleinsten Leistung, { $action }
now_rests = { $name }: wartet, um nicht zu oft zu schalten
now_runs_on = { $name }: läuft noch einen Moment weiter, { $action }
now_not_connected = { $name }: ist nicht angesteckt
now_supports_no_car = { $name }: versorgt das Haus, nicht das Auto
now_connection_limit = { $name }: { $action }, wegen der Grenze deines Anschlusses
now_operator_limit = { $name }: { $action }, wegen der Grenze des Netzbetreibers
now_fuse_limit = { $name }: { $action }, um die Sicherung zu schützen
now_export_cap = { $name }: { $action }, wegen der Grenze für die Einspeisung
now_meter_stale = { $name }: { $action }, weil die Zähler keine neuen Werte senden
now_unknown_soc = { $name }: { $action }, weil der Ladestand unbekannt ist
now_wakes_car = { $name }: setzt kurz aus, um das Auto zu wecken
now_silent = { $name }: antwortet nicht
now_not_followed = { $name }: führt den Befehl von Luna nicht aus

# Die Zähler schweigen: eine Zeile anstelle aller anderen.
now_all_stale = Keine neuen Zählerwerte: Deine Geräte sind im sicheren Zustand.

# Was ein Gerät tut.
action_power = { $power }
action_current = { $current } A
action_battery_charge = lädt mit { $power }
action_battery_export = entlädt mit { $power }
action_give = gibt dem Haus { $power }
action_limit = höchstens { $power }
action_self_consumption = deckt deinen Eigenverbrauch
action_save = speichert nur Solarüberschuss
action_supply = versorgt das Haus
action_hold = pausiert
action_stop = lädt nicht
action_own = läuft von selbst
action_on = an
action_off = aus
action_free = unbegrenzt
action_no_export = keine Einspeisung

# A quarter-hour that is over: changes, powers, what held a device back, energy beside the plan.
slot_switch = { $at } { $sentence }
slot_powers = { $name }: im Schnitt { $mean }, zwischen { $least } und { $most }
slot_held = { $minutes } min { $reason }
slot_more = { $name }: { $energy } mehr als geplant
slot_less = { $name }: { $energy } weniger als geplant
held_waits_for_surplus = zu wenig Sonne
held_keeps_floor = auf kleinster Leistung
held_rests = wartet zwischen zwei Starts
held_runs_on = läuft weiter, um nicht zu oft zu schalten
held_not_connected = nicht angesteckt
held_supports_no_car = nur fürs Haus
held_connection_limit = Grenze deines Anschlusses
held_operator_limit = Grenze des Netzbetreibers
held_fuse_limit = Sicherung
held_export_cap = Einspeisegrenze
held_meter_stale = keine neuen Zählerwerte
held_unknown_soc = Ladestand unbekannt
