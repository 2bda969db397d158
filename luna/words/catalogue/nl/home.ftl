### De pagina Overzicht.

title = Overzicht
live = Live
live_since = Waarden sinds { $t }
live_old = { $age } oud
live_none = Geen actuele waarden
minutes = { $n } min
hours = { $n } uur
days =
    { $n ->
        [one] { $n } dag
       *[other] { $n } dagen
    }

## De kop: wat de batterij nu doet en tot wanneer, daarna wat er volgt.

# $until is leeg, of een spatie en het volgende bericht.
until_time = tot { $t }
now_full = { $name } is vol en wacht{ $until }
now_reserve = { $name } zit op de reserve en wacht{ $until }
now_filled = { $name } is zo vol als gepland en laadt{ $until } niet verder
now_drained = { $name } is zo leeg als gepland en levert{ $until } niets meer
now_save = { $name } slaat{ $until } alleen zonoverschot op
now_hold = { $name } pauzeert{ $until }
now_self_consumption = { $name } dekt{ $until } je eigen gebruik
now_supply = { $name } voedt{ $until } het huis
now_charge = { $name } laadt{ $until } van het net
now_export = { $name } verkoopt{ $until } stroom aan het net
headline_then = { $now }, daarna { $next }.
next_save = slaat hij alleen zonoverschot op
next_hold = pauzeert hij
next_self_consumption = dekt hij je eigen gebruik
next_supply = voedt hij het huis
next_charge = laadt hij van het net
next_export = verkoopt hij stroom aan het net
# Als de besturing uit staat, onder deze regel: wat Luna zou doen.
would = Luna stuurt niet. Luna zou:
would_save = alleen zonoverschot opslaan{ $until }
would_hold = de batterij pauzeren{ $until }
would_self_consumption = je eigen gebruik dekken{ $until }
would_supply = het huis voeden{ $until }
would_charge = van het net laden{ $until }
would_export = stroom aan het net verkopen{ $until }
would_then = { $now }, daarna { $next }.
# De batterij volgt het plan niet.
now_silent = { $name } reageert niet.
now_disobeys = { $name } voert de opdracht van Luna niet uit.
now_spared = { $name } heeft vandaag genoeg wijzigingen gehad.
now_kept = { $name } blijft in de huidige modus.
lead_left_alone = Hij werkt nu op zichzelf. De stappen hieronder tonen het plan.
lead_kept = Wisselen bespaart nu minder dan het apparaat ervan slijt. De stappen hieronder tonen het plan.
battery_subject = De batterij
# Een huis zonder batterij.
without_battery_solar = Je huis gebruikt eerst zonnestroom, dan het net.
without_battery_limited = Zonnestroom wordt nu begrensd.
without_battery = Je huis draait op stroom van het net.
details = Details

## De stappen, en de markering in de grafiek.

steps = De volgende stappen
now = Nu
step_save = { $name } slaat alleen zonoverschot op
step_save_selling = { $name } wacht, zonoverschot gaat naar het net
step_hold = { $name } pauzeert
step_self_consumption = { $name } dekt je eigen gebruik
step_supply = { $name } geeft het huis { $kwh }
step_charge = { $name } laadt { $kwh } tegen { $price }
step_export = { $name } verkoopt { $kwh }
step_owner = Jouw instelling: { $mode }
step_car = { $name } laadt { $kwh } voor { $cost } ({ $price }), klaar om { $t }
step_heater = { $name } verwarmt met { $kwh } voor { $cost }, tot { $t }
step_appliance = { $name } draait met { $kwh } voor { $cost }, klaar om { $t }

## Cijfers.

fact_cost = Kosten, komende 24 uur
fact_cost_note = zonder Luna { $x }
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
fact_saved_note = gisteren { $x }
fact_car = Auto, { $t }
fact_car_note = { $x } bij het aansluiten

## Energie nu.

flow = Energie nu
flow_none = Geen actuele meetwaarden.
flow_ago = { $n } s geleden
flow_since = sinds { $t }
flow_car = Auto
flow_grid = Net
flow_house = Huis
flow_battery = Batterij
flow_batteries = Batterijen
flow_solar = Zon
flow_off = uit
flow_selling = Naar het net
flow_buying = Van het net
flow_stays = aangesloten
flow_plugged = verwacht { $t }
steering = Apparaten op dit moment
unknown = geen gegevens

## Het plan en de grafiek.

plan = Plan
plan_note = gemaakt { $t }
plan_note_prices = prijzen bekend tot { $t }
plan_note_predicted = met voorspelde prijzen
chart_label = Grafiek van het plan. De pijltoetsen gaan een kwartier verder, Page Up en Page Down een uur. Home gaat naar nu.
chart_values = Waarden van het gekozen tijdstip
no_chart = De grafiek heeft JavaScript nodig. De tabel toont alle waarden.
compare = Vergelijken met
show = Tonen
ghost_without = Zonder Luna
ghost_midnight = Plan van middernacht
ghost_forecast = Eerdere voorspelling
table = Tabel
save_csv = CSV
save_png = Afbeelding
span_day = Dag
span_all = 3 dagen
price = Prijs
power = Vermogen
soc = Batterijniveau
soc_together = Niveau van alle batterijen
target = doel
used = verbruikt
supplied = geleverd
plan_of = Plan van { $t }
expected = verwacht
measured = gemeten
estimated = geschat
planned = gepland
band = bandbreedte
held = begrensd
reserve = reserve
cheap = goedkoop
dear = duur
predicted = voorspelde prijzen
buy = Kopen
sell = Verkopen
hourly = uurgemiddelde
daily = daggemiddelde
beside_house = Apparaten
plan_changed = Nieuw plan vanaf { $t }: { $mode }.
offline = Geen verbinding meer. Je ziet de laatst bekende waarden.

## Waarom.

why = Waarom
why_none = Voor dit tijdstip is er geen plan.
why_more = Meer of minder tonen
part_of = deel van { $span }
energy_value = Waarde van opgeslagen energie
worth_later = Energie in de batterij is later { $value }/kWh waard; nu gebruikt bespaart die { $now }.
worth_later_sold = Energie in de batterij is later { $value }/kWh waard; nu verkocht levert die { $now } op.
worth_then = Energie in de batterij was voor later { $value }/kWh waard; meteen gebruikt bespaarde die { $now }.
worth_then_sold = Energie in de batterij was voor later { $value }/kWh waard; meteen verkocht leverde die { $now } op.
prices = Kopen kost { $buy }, verkopen levert { $sell } op
low_part_title = Nu goedkoper
low_part = { $name } ({ $price } in plaats van maximaal { $highest })
opposite = Alternatief
opposite_more = { $x } duurder
opposite_same = geen verschil
rank = Prijsvergelijking
binding = Begrensd door
binding_reserve = de reserve van { $soc }
none = niets
decided_by = Beslist door
by_planner = Luna
by_owner = jou
by_rule = noodregel (geen plan)
by_agent = Antares
by_nobody = niemand
result = Gemeten
result_soc = batterijniveau { $soc } aan het eind
override = Eigen instelling
override_until = tot
override_ends = Daarna geldt het plan weer.
override_not_armed = De besturing staat uit. Luna bewaart je instelling en verstuurt die zodra de besturing aan staat.
override_by_hand = Luna geeft alleen advies. Luna plant met je instelling; de batterij stel je zelf in.

## Wat je met de hand instelt.

advice = Instellingen voor je batterij
advice_until = Tot { $end }: { $deed }.
advice_span = Van { $start } tot { $end }: { $deed }.
advice_on = Vanaf { $start }: { $deed }.
advice_now = Vanaf nu: { $deed }.
advice_set = { $deed } (stel dit in de app van je batterij in)
deed_self_consumption = laat de batterij in de normale stand
deed_save = sla zonoverschot op en blokkeer ontladen
deed_hold = blokkeer laden en ontladen
deed_charge = laad met { $kw } kW van het net, tot { $soc }
deed_export = verkoop met { $kw } kW uit de batterij, tot { $soc }

## Meldingen.

notice_limit_unkept = De besturing staat uit, dus Luna houdt dit niet voor je aan.
notice_override = Jouw instelling: { $mode } tot { $t }.
notice_not_sent = De besturing staat uit, Luna verstuurt niets. Schakel de besturing in onder Planning.
notice_by_hand = Luna geeft alleen advies. Stel dit zelf in.
notice_cannot_send = Luna kan je apparaten nog niet sturen. Stel de besturing in op de pagina van je huis.
end_now = Nu beëindigen
extend = 1 uur verlengen
notice_stale = Je meters sturen geen waarden sinds { $t }.
notice_stale_more = Het plan blijft. Je ziet het geplande batterijniveau.
notice_unknown = Je verbruik is onbekend sinds { $t }.
notice_unknown_more = Een meter stuurt geen nieuwe waarden. Controleer je meters. Het plan blijft.
notice_soc_assumed = Batterijniveau onbekend, Luna rekent met { $soc }.
notice_soc_assumed_silent = De sensor van het batterijniveau stuurt geen waarden. Controleer hem.
notice_soc_assumed_unnamed = Koppel een sensor op de pagina van je huis, onder Sensoren, of importeer een bestand met de waarden.
assumed_ahead = gepland (aangenomen)
notice_doubt_more = Apparaten sturen zulke waarden na een herstart. Luna gebruikt de waarde als die 15 minuten blijft.
notice_prices = De prijzen voor morgen zijn er nog niet.
notice_prices_today = De prijzen voor vandaag ontbreken.
notice_prices_today_more = Luna plant met voorspelde prijzen.
notice_prices_more = Luna plant vanaf { $t } met voorspelde prijzen.
notice_fallback = Al { $age } geen geldig plan.
notice_fallback_more = De omvormer dekt zolang je eigen gebruik.
notice_fallback_car = Volgens het laatste plan is de auto om { $t } klaar.
notice_planning = Een nieuw plan komt meestal binnen enkele seconden.
notice_tried = Laatste poging: { $t }. Luna probeert het elke vijf minuten en bij elke wijziging.
plan_now = Nu plannen
no_plan_now = Er is nu geen plan.
no_plan = Er is nog geen plan.
no_plan_lead = Luna plant zodra er prijzen en een voorspelling zijn. Luna stuurt niets tot je de besturing inschakelt.

## De kolommen van de tabel.

table_title = Elk kwartier
table_time = Tijd
table_mode = Modus
table_state = Basis
table_why = Waarom
back = Terug naar de grafiek
steered_title = Wat de apparaten ondertussen deden
