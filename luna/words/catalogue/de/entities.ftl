### Was Home Assistant von einem Zuhause zeigt.

planned_mode = Geplanter Modus
actual_mode = Aktueller Modus
next_action = Nächster Schritt
next_action_at = Nächster Schritt um
energy_value = Wert gespeicherter Energie
paid_today = Heute bisher bezahlt
paid_yesterday = Gestern bezahlt
cost_today = Kosten heute, erwartet
cost_tomorrow = Kosten morgen, erwartet
saved_today = Heute gespart
saved_yesterday = Gestern gespart
load_today = Verbrauch heute
load_tomorrow = Verbrauch morgen
pv_today = Solarstrom heute
pv_tomorrow = Solarstrom morgen
plan_age = Alter des Plans
plan_soc = Geplanter Ladestand
plan_battery = Geplante Batterieleistung
plan_grid = Geplante Netzleistung
plan_load = Geplanter Verbrauch
plan_pv = Geplante Solarleistung
import_price = Strompreis
export_price = Einspeisevergütung
problem = Problem
operator_limit = Begrenzung durch den Netzbetreiber
operator_limit_power = Grenze des Netzbetreibers
refusal = Letzter Fehler
armed = Steuerung
vacation = Urlaub
steering = Batterie jetzt
plan_now = Jetzt planen
override = Eigene Vorgabe
override_hours = Eigene Vorgabe für
override_until = Eigene Vorgabe bis

# Die Auswahl, solange der Plan gilt.
follow_plan = Dem Plan folgen
