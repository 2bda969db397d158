### Wat de regeling nu met een apparaat doet, en waarom.

# $name is een apparaat, $action een van de teksten hieronder.
now_as_planned = { $name }: { $action }, volgens plan
now_own_control = { $name }: werkt zelfstandig
now_follows_surplus = { $name }: gebruikt zonoverschot, { $action }
now_waits_for_surplus = { $name }: wacht op meer zon
now_keeps_floor = { $name }: blijft op het laagste vermogen, { $action }
now_rests = { $name }: wacht, om niet te vaak te schakelen
now_runs_on = { $name }: gaat nog even door, { $action }
now_not_connected = { $name }: is niet aangesloten
now_supports_no_car = { $name }: voedt het huis, niet de auto
now_connection_limit = { $name }: { $action }, vanwege de grens van je aansluiting
now_operator_limit = { $name }: { $action }, vanwege de grens van de netbeheerder
now_fuse_limit = { $name }: { $action }, om de zekering te beschermen
now_export_cap = { $name }: { $action }, vanwege de grens voor teruglevering
now_meter_stale = { $name }: { $action }, omdat de meters geen nieuwe waarden sturen
now_unknown_soc = { $name }: { $action }, omdat het batterijniveau onbekend is
now_wakes_car = { $name }: stopt even, om de auto wakker te maken
now_silent = { $name }: reageert niet
now_not_followed = { $name }: voert de opdracht van Luna niet uit

# De meters zwijgen: één regel in plaats van alle andere.
now_all_stale = Geen nieuwe meterwaarden: je apparaten staan in hun veilige stand.

# Wat een apparaat doet.
action_power = { $power }
action_current = { $current } A
action_battery_charge = laadt met { $power }
action_battery_export = ontlaadt met { $power }
action_give = geeft het huis { $power }
action_limit = hooguit { $power }
action_self_consumption = dekt je eigen gebruik
action_save = slaat alleen zonoverschot op
action_supply = voedt het huis
action_hold = pauzeert
action_stop = laadt niet
action_own = werkt zelfstandig
action_on = aan
action_off = uit
action_free = geen grens
action_no_export = geen teruglevering

# A quarter-hour that is over: changes, powers, what held a device back, energy beside the plan.
slot_switch = { $at } { $sentence }
slot_powers = { $name }: gemiddeld { $mean }, tussen { $least } en { $most }
slot_held = { $minutes } min { $reason }
slot_more = { $name }: { $energy } meer dan gepland
slot_less = { $name }: { $energy } minder dan gepland
held_waits_for_surplus = te weinig zon
held_keeps_floor = op het laagste vermogen
held_rests = wacht tussen twee starts
held_runs_on = loopt door om niet te vaak te schakelen
held_not_connected = niet aangesloten
held_supports_no_car = alleen voor het huis
held_connection_limit = de grens van je aansluiting
held_operator_limit = de grens van de netbeheerder
held_fuse_limit = de zekering
held_export_cap = de teruglevergrens
held_meter_stale = geen nieuwe meterwaarden
held_unknown_soc = batterijniveau onbekend
