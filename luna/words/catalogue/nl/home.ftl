### What the page Home says.

title = Overzicht
live = Live
live_since = Waarden sinds { $t }
live_old = { $age } oud
live_none = Nog geen waarden
minutes = { $n } min
hours = { $n } uur
days =
    { $n ->
        [one] { $n } dag
       *[other] { $n } dagen
    }

## What the battery does now, and what it does next.

now_full = { $name } is vol en wacht.
now_reserve = { $name } zit op de reserve en wacht.
now_filled = { $name } is zo vol als de bedoeling is.
now_drained = { $name } is zo leeg als de bedoeling is.
now_save = { $name } wacht.
now_hold = { $name } houdt zijn lading vast.
now_self_consumption = { $name } volgt het huis.
now_supply = { $name } voedt het huis.
now_charge = { $name } laadt uit het net.
now_export = { $name } verkoopt.
now_silent = { $name } geeft geen antwoord.
now_disobeys = { $name } doet iets anders dan hem is opgedragen.
now_spared = { $name } wordt gespaard: er is vandaag zo vaak naar geschreven als zijn geheugen verdraagt.
now_kept = { $name } gaat verder zoals voorheen.
lead_left_alone = Hij gaat nu zijn eigen gang; de stappen hieronder zijn die van het plan.
lead_kept = Een wisseling zou nu te weinig opleveren voor de slijtage van het geheugen; de stappen hieronder zijn die van het plan.
next_save = Vanaf { $t } wacht hij.
next_hold = Vanaf { $t } houdt hij zijn lading vast.
next_self_consumption = Vanaf { $t } volgt hij het huis.
next_supply = Vanaf { $t } voedt hij het huis.
next_charge = Vanaf { $t } laadt hij.
next_export = Vanaf { $t } verkoopt hij.
battery_subject = De batterij
without_battery = Het plan is klaar.

## The steps, and the mark of the chart.

steps = Wat er komt
now = Nu
step_save = { $name } wacht
step_save_selling = { $name } wacht, zonoverschot wordt verkocht
step_hold = { $name } houdt zijn lading vast
step_self_consumption = { $name } volgt het huis
step_supply = { $name } geeft het huis { $kwh }
step_charge = { $name } laadt { $kwh } tegen { $price }
step_export = { $name } verkoopt { $kwh }
step_owner = { $mode }, zoals je hebt gekozen
step_car = { $name } laadt { $kwh } voor { $cost } ({ $price }), klaar vóór { $t }
step_heater = { $name } verwarmt met { $kwh } voor { $cost }, tot { $t }
step_appliance = { $name } draait met { $kwh } voor { $cost }, tot { $t }

## Figures.

fact_cost = Komende 24 uur
fact_cost_note = in plaats van { $x } zonder Luna
fact_paid = Vandaag tot nu betaald
fact_paid_note = { $x } tot middernacht
fact_paid_note_yesterday = gisteren { $x }
fact_would_save = Luna zou vandaag besparen
fact_solar = Zon vandaag
fact_solar_note = nog { $x } verwacht
fact_stored = In de batterij
fact_stored_each = { $name }, opgeslagen
fact_stored_note = { $x } waard
fact_saved = Vandaag bespaard
fact_saved_note = gisteren { $x }, vergeleken met alleen de omvormer
fact_car = Auto, { $t }
fact_car_note = van { $x } bij het aansluiten

## Energy now.

flow = Energie nu
flow_none = Nog geen meetwaarden.
flow_ago = { $n } s geleden
flow_since = sinds { $t }
flow_car = Auto
flow_grid = Net
flow_house = Huis
flow_battery = Batterij
flow_batteries = Batterijen
flow_solar = Zon
flow_off = uit
flow_selling = verkoop
flow_buying = afname
flow_stays = aangesloten
flow_plugged = komt { $t }
unknown = geen gegevens

## The plan and its chart.

plan = Plan
plan_note = gepland { $t }
plan_note_prices = prijzen bekend tot { $t }
plan_note_predicted = met voorspelde prijzen
chart_label = Plan. Met de pijltoetsen kies je een kwartier, met Page Up en Page Down een uur, met Home het kwartier van nu.
chart_values = Waarden van het gekozen tijdstip
no_chart = De grafiek heeft een script nodig. Alle waarden staan in de tabel.
compare = Vergelijken met
show = Tonen
ghost_without = Zonder Luna
ghost_midnight = Plan van middernacht
ghost_forecast = Voorspelling toen
table = Tabel
save_csv = CSV
save_png = Afbeelding
span_day = Dag
span_all = 3 dagen
price = Prijs
power = Vermogen
soc = Laadniveau
soc_together = Lading van alle batterijen samen
target = doel
used = verbruikt
supplied = geleverd
plan_of = Plan van { $t }
expected = verwacht
measured = gemeten
estimated = geschat
planned = gepland
band = P10–P90
held = afgeregeld
reserve = reserve
cheap = goedkoop
dear = duur
predicted = voorspelde prijzen
buy = Kopen
sell = Verkopen
hourly = uurgemiddelde
daily = daggemiddelde
beside_house = Apparaten
plan_changed = Plan gewijzigd vanaf { $t }: { $mode }.
offline = Geen verbinding meer. Je ziet wat het laatst bekend was.

## Why.

why = Waarom
why_none = Geen enkel plan zegt iets over dit tijdstip.
why_more = Meer of minder tonen
part_of = deel van { $span }
energy_value = Waarde van een opgeslagen kWh
keep_range = bewaren loont tussen { $a } en { $b }
ruler = Verkopen levert { $sell } op, kopen kost { $buy }
opposite = Het omgekeerde
opposite_more = { $x } duurder
rank = Prijsrang, 1 is het goedkoopst
rank_of = { $rank } van { $count }
binding = Grenzen die meespelen
none = geen
decided_by = Beslist door
by_planner = de planner
by_owner = jou
by_rule = de noodregel
by_agent = Antares
by_nobody = niemand
result = Gemeten
result_soc = { $soc } aan het eind
override = Iets anders doen
override_until = tot
override_ends = Daarna neemt het plan het weer over.
override_not_armed = Luna leest hier alleen mee: je keuze wordt bewaard en verstuurd zodra de besturing is ingeschakeld.
override_by_hand = Luna geeft hier alleen advies: je keuze telt mee in het plan, instellen doe je zelf.

## What to do by hand.

advice = Wat je zelf kunt doen
advice_until = Tot { $end }: { $deed }.
advice_span = Van { $start } tot { $end }: { $deed }.
advice_on = Vanaf { $start }: { $deed }.
advice_now = Vanaf nu: { $deed }.
advice_set = { $deed }; stel dat in de app van je batterij in
deed_self_consumption = de batterij zijn gang laten gaan, zoals elke dag
deed_save = het zonoverschot opslaan en de batterij niets laten afgeven
deed_hold = de batterij laten rusten: niet laden en niet ontladen
deed_charge = de batterij met { $kw } kW uit het net laden, tot { $soc }
deed_export = met { $kw } kW uit de batterij verkopen, tot { $soc }

## Notices.

notice_override = Je hebt gekozen: { $mode } tot { $t }.
notice_not_sent = Er wordt niets verstuurd: de besturing staat uit. Inschakelen doe je op de pagina Planning.
notice_by_hand = Luna geeft alleen advies: stel het zelf in.
notice_cannot_send = Er kan niets worden verstuurd: Luna weet niet hoe je apparaten worden aangestuurd.
would = Dit zou Luna doen als je apparaten opdrachten kregen:
end_now = Nu beëindigen
extend = 1 uur verlengen
notice_stale = Geen meetwaarden sinds { $t }.
notice_unknown = Wat het huis verbruikt, is sinds { $t } niet bekend.
notice_unknown_more = Een meter zegt niets, of niets nieuws. Het plan blijft.
notice_stale_more = Het plan blijft; voor het laadniveau geldt wat er gepland was.
notice_soc_assumed = Hoe vol de batterij is, is de laatste tijd niet gemeten: Luna gaat uit van { $soc }.
notice_soc_assumed_silent = Kijk waarom de sensor van het laadniveau zwijgt; zodra hij iets zegt, komt er een nieuw plan.
notice_soc_assumed_unnamed = Vul de sensor van het laadniveau in op de pagina van de locatie, onder Sensoren, of importeer een bestand waar het laadniveau in staat.
assumed_ahead = gepland (aangenomen)
notice_doubt_more = Een apparaat dat opnieuw start, meldt zulke waarden; wat het een kwartier lang meldt, wordt geloofd.
notice_prices = De prijzen voor morgen laten op zich wachten.
notice_prices_today = De prijzen voor vandaag ontbreken.
notice_prices_today_more = Gepland met voorspelde prijzen.
notice_prices_more = Gepland met voorspelde prijzen vanaf { $t }.
notice_fallback = Al { $age } geen geldig plan.
notice_fallback_more = De omvormer volgt vanzelf het huis.
notice_fallback_car = Volgens het laatste plan zou de auto vóór { $t } klaar zijn.
notice_planning = Luna plant vanzelf binnen enkele seconden, zolang de diensten draaien.
notice_tried = Laatst geprobeerd { $t }; Luna probeert het opnieuw zodra er iets verandert, en elke vijf minuten.
plan_now = Nu plannen
no_plan_now = Luna kijkt mee. Er geldt nu geen plan.
no_plan = Luna kijkt mee. Er is nog geen plan.
no_plan_lead = Luna maakt een plan zodra er prijzen en een voorspelling zijn. Er wordt niets aangestuurd voordat jij dat toestaat.

## The table's headings.

table_title = Elk kwartier
table_time = Tijd
table_mode = Modus
table_state = Stand
table_why = Waarom
back = Terug naar de grafiek
