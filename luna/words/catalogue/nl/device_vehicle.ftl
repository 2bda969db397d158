### Auto’s.

kind_vehicle = Auto
prefix_vehicle = auto
limited_vehicle =
    { $count ->
        [one] je auto
       *[other] je auto’s
    }
name_car = Auto
waiting_vehicle = Auto
series_vehicle_kwh = Auto
role_vehicle_consumption = Laadenergie van de auto
role_vehicle_soc = Batterijniveau van de auto
role_vehicle_connected = Auto is aangesloten
role_vehicle_range = Actieradius van de auto
setup_vehicles = Auto
setup_none_vehicles = Geen auto die thuis laadt.
setup_add_vehicles = Auto toevoegen
setup_review_vehicle = { $capacity } kWh, laadt met { $least } tot { $power } kW
entity_plan_vehicle = Gepland laden van { $device }
entity_vehicle_soc = Gepland batterijniveau van { $device }
entity_vehicle_ready = { $device } klaar om
entity_override_vehicle = Eigen instelling voor { $device }
entity_steering_vehicle = { $device } nu
entity_draws_less_vehicle = Laadprobleem van { $device }

# Waarom een plan is veranderd.
cause_vehicles = Een auto is anders geladen, aangesloten of ingepland.

# Grenzen die een plan niet haalt, en wat er ontbreekt.
wanted_manual_vehicle_full = eigen instelling: { $name } { $action } (de auto is vol) { $first } tot { $last }
missing_manual_vehicle_full = { $kwh_3 } kWh te weinig
wanted_vehicle = auto { $name }: { $wanted_percent } vóór { $by }
missing_vehicle = { $missing_percent_1 } te weinig
wanted_vehicle_minimum = auto { $name }: minstens { $kw } kW van { $first } tot { $last }
missing_vehicle_minimum = { $kwh_3 } kWh te weinig

# Waar een plan van uitgaat.
note_vehicle_soc_read = { $vehicle } is { $soc } vol, volgens de sensor op { $at }.
note_vehicle_soc_ranged = { $vehicle } is ongeveer { $soc } vol, volgens de actieradius die hij op { $at } meldde.
note_vehicle_soc_said = { $vehicle } komt aan met { $soc }, zoals je hebt ingevuld.
note_vehicle_soc_counted = { $vehicle } is { $soc } vol: aangekomen op { $since } met { $arrival_soc }, sindsdien { $metered_kwh } geladen.
note_vehicle_soc_stated = { $vehicle } is { $soc } vol, zoals je hebt gezegd op { $stated_at }.
note_vehicle_soc_estimated = { $vehicle } is ongeveer { $soc } vol: je zei { $stated_soc } op { $stated_at }, en sindsdien is { $metered_kwh } geladen.
note_vehicle_soc_expected = { $vehicle } is volgens het laatste plan { $soc } vol. Er is geen nieuwere waarde.
note_vehicle_soc_assumed = Batterijniveau van { $vehicle } onbekend, Luna rekent met { $soc }. Vul het in bij het vertrek of verbind een sensor.
note_vehicle_usual = { $vehicle } heeft geen vertrek. Luna verwacht hem van { $comes } tot { $leaves } thuis en laadt { $need_kwh } per dag.
note_vehicle_soc_doubted = { $vehicle } meldde { $soc } ({ $at }), daarna { $doubted_soc } ({ $doubted_at }). Zo snel kan het niet: Luna rekent voorlopig met { $soc }.
note_vehicle_not_connected = { $vehicle } moet nu aan de laadpaal staan, maar is sinds { $since } niet aangesloten. Sluit de auto aan of wijzig het vertrek.
note_vehicle_soc_stands_still = Luna rekent voor { $vehicle } met { $soc }: de sensor staat sinds { $since } op { $sensor_soc }, terwijl er { $metered_kwh } is geladen. Controleer de sensor.
note_vehicle_soc_too_fast = Luna rekent voor { $vehicle } met { $soc }: de sensor meldde { $sensor_soc } ({ $since }), zo snel laadt de laadpaal niet.
note_vehicle_soc_against_meter = Luna rekent voor { $vehicle } met { $soc }: de sensor meldt { $sensor_soc }, maar de laadpaal telde { $metered_kwh } sinds { $since }. Controleer de sensor en de meter van de laadpaal.
note_vehicle_soc_stale = Luna rekent voor { $vehicle } met { $soc }: de sensor meldde voor het laatst { $sensor_soc } ({ $at }). Controleer of hij nog waarden stuurt.
note_vehicle_soc_out_of_range = Luna rekent voor { $vehicle } met { $soc }, gemeld op { $at }: de sensor stuurt nu een onmogelijke waarde. Controleer de sensor.
note_vehicle_soc_jumps = De sensor van { $vehicle } sprong op { $since } naar { $sensor_soc }, zo snel laadt de auto niet. Controleer de sensor.
note_vehicle_soc_unusable = De sensor van { $vehicle } stuurt oude of onmogelijke waarden. Controleer de sensor.
note_vehicle_takes_nothing = { $vehicle } laadt niet: sinds { $since } was { $planned_kwh } gepland, er kwam niets aan. Controleer de kabel, en in de auto het schema en de laadgrens.
note_vehicle_soc_full = { $vehicle } geldt als vol: hij trekt niets meer uit de laadpaal.
note_vehicle_draws_less = Luna plant { $vehicle } met hoogstens { $kw }: meer heeft hij sinds het aansluiten niet getrokken.
note_vehicle_left_out = Luna plant { $vehicle } nu niet: sinds { $since } trekt hij niets, terwijl hij moet laden. Sluit hem opnieuw aan of kies "Laden".
note_no_session = { $vehicles }: geen vertrek ingevuld, dus Luna plant geen laden. Vul het in onder Planning, of de kilometers per jaar.

# Waarom een apparaat draait of wacht; de meeste redenen staan in device_reasons.
reason_ev_waits_surplus_1 = Wacht op zonoverschot, verwacht vanaf { $time }.
reason_ev_waits_surplus_2 = Wacht op zonoverschot; vóór vertrek is het waarschijnlijk te weinig.
short_ev_waits_surplus_1 = Wacht op zon vanaf { $time }
short_ev_waits_surplus_2 = Wacht op zon
reason_ev_gives_1 = Voedt het huis: kopen zou { $buy } kosten.
short_ev_gives_1 = Voedt het huis: kopen kost { $buy }
short_ev_gives_2 = Voedt het huis
reason_ev_pinned_1 = Laadt volgens je eigen instelling.
short_ev_pinned_1 = Laadt zoals je hebt ingesteld
reason_ev_minimum_1 = Laadt met je minimum van { $kw } tot hij vol is.
short_ev_minimum_1 = Laadt met je minimum van { $kw }
short_ev_minimum_2 = Laadt met je minimum
reason_ev_left_out_1 = Niet gepland: de auto trekt niets.
short_ev_left_out_1 = Auto trekt niets

# Wat een auto trekt in plaats van wat is opgedragen.
draw_draws_less = { $car } trekt de { $commanded } niet: meer dan { $most } neemt hij niet. Daarmee plant Luna tot je hem opnieuw aansluit.
draw_full = { $car } trekt de { $commanded } niet meer: hij is vol of aan zijn eigen laadgrens. Luna laat hem weg tot je hem opnieuw aansluit.
draw_full_at = { $car } trekt de { $commanded } niet meer: bij { $soc } houdt het op. Wil je meer, controleer dan de laadgrens in de auto. Luna laat hem weg tot je hem opnieuw aansluit.
draw_below_least_current = { $car } trekt de { $commanded } niet: een auto heeft minstens 6 A nodig. Luna laat hem weg tot je hem opnieuw aansluit.
draw_waking = { $car } trekt de { $commanded } nog niet. Luna stopt en start het laden één keer kort om hem te wekken.
draw_asleep = { $car } trekt de { $commanded } niet, hoewel hij is aangesloten. Hij slaapt of wacht op een eigen schema. Luna probeert het elk uur opnieuw, of meteen als je "Laden" kiest.
draw_not_plugged_in = { $car } trekt de { $commanded } niet: hij is niet aangesloten. Luna laat hem weg tot je hem aansluit.
draw_refuses = { $car } trekt de { $commanded } niet. Controleer de kabel, en in de auto het schema en de laadgrens. Luna probeert het elk uur opnieuw, of meteen als je "Laden" kiest.
