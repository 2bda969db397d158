### What is said of vehicles.

kind_vehicle = Auto
prefix_vehicle = auto
name_car = Auto
waiting_vehicle = Auto
series_vehicle_kwh = Auto
role_vehicle_consumption = Laden van de auto
role_vehicle_soc = Laadniveau van de auto
role_vehicle_connected = Auto is aangesloten
setup_vehicles = Auto
setup_none_vehicles = Geen auto die thuis laadt.
setup_add_vehicles = Auto toevoegen
setup_review_vehicle = { $capacity } kWh, laadt met { $least } tot { $power } kW
entity_plan_vehicle = Gepland laden van { $device }
entity_vehicle_soc = Gepland laadniveau van { $device }
entity_vehicle_ready = { $device } klaar om
entity_override_vehicle = Afwijken: { $device }

# Why a plan is another one where its devices did something else than planned.
cause_vehicles = Een auto is anders geladen, aangesloten of gewenst dan gepland.

# What a plan could not hold: what was wanted, and what is missing of it.
wanted_manual_vehicle_full = vastgezet: { $name } { $action } (de auto is vol) { $first } tot { $last }
missing_manual_vehicle_full = { $kwh_3 } kWh
wanted_vehicle = auto { $name }: { $wanted_percent } vóór { $by }
missing_vehicle = { $missing_percent_1 }
wanted_vehicle_minimum = auto { $name }: minstens { $kw } kW van { $first } tot { $last }
missing_vehicle_minimum = { $kwh_3 } kWh

# What a plan rests on.
note_vehicle_soc_read = { $vehicle } telt als { $soc } vol, volgens de sensor op { $at }.
note_vehicle_soc_said = { $vehicle } telt bij aankomst als { $soc } vol, zoals bij het vertrek is ingevuld.
note_vehicle_soc_counted = { $vehicle } telt als { $soc } vol: hij kwam op { $since } met { $arrival_soc }, zoals bij het vertrek is ingevuld, en de laadpaal heeft sindsdien { $metered_kwh } geteld.
note_vehicle_soc_expected = { $vehicle } telt als { $soc } vol, zoals het vorige plan hem achterliet: iets nieuwers is niet bekend.
note_vehicle_soc_assumed = Hoe vol { $vehicle } is, is niet bekend: Luna gaat uit van { $soc }. Vul het in bij het vertrek, of noem de sensor.
note_vehicle_usual = Van { $vehicle } is geen vertrek bekend: op grond van de kilometers per jaar rekent Luna van { $comes } tot { $leaves } op thuis, met { $need_kwh } per dag.
note_vehicle_soc_doubted = { $vehicle } meldde op { $doubted_at } { $doubted_soc }, na { $soc } op { $at }. Dat kan niet: { $soc } geldt tot het nieuwe niveau is bevestigd.
note_vehicle_not_connected = { $vehicle } is sinds { $since } niet aangesloten, terwijl dat wel gepland was: Luna plant alsof het zo is.
note_vehicle_soc_stands_still = { $vehicle } telt als { $soc } vol: de sensor staat sinds { $since } op { $sensor_soc }, terwijl de laadpaal { $metered_kwh } heeft geteld.
note_vehicle_soc_too_fast = { $vehicle } telt als { $soc } vol: de sensor gaf op { $since } { $sensor_soc } aan, zo snel kan de laadpaal niet laden.
note_vehicle_soc_against_meter = { $vehicle } telt als { $soc } vol: de sensor zegt { $sensor_soc }, de laadpaal heeft sinds { $since } { $metered_kwh } geteld, en dat kan niet allebei kloppen. Controleer de sensor en de meter van de laadpaal.
note_vehicle_soc_stale = { $vehicle } telt als { $soc } vol: de sensor meldde op { $at } voor het laatst iets, { $sensor_soc }. Controleer of hij nog meldt.
note_vehicle_soc_out_of_range = { $vehicle } telt als { $soc } vol, volgens de sensor op { $at }: wat hij nu zegt, kan niet. Controleer de sensor.
note_vehicle_soc_jumps = De sensor van { $vehicle } sprong op { $since } naar { $sensor_soc }, meer dan de auto kan. Controleer of dat klopt.
note_vehicle_soc_unusable = Wat de sensor van { $vehicle } zegt, is niet bruikbaar: het is verouderd of het kan niet. Controleer de sensor.
note_vehicle_takes_nothing = { $vehicle } neemt niets op: hij is sinds { $since } aangesloten, er had { $planned_kwh } geladen moeten zijn, en de laadpaal heeft niets geteld. Gewone oorzaken: een tijdschema of een laadgrens in de auto, of de kabel.
note_no_session = { $vehicles }: geen vertrek bekend, dus niet gepland. Vul op de pagina Planning in wanneer de auto vertrekt, of hoeveel kilometer hij per jaar rijdt.

# Why a device runs or waits.
reason_ev_cheapest_1 = Laadt de auto in de goedkoopste { $count } van { $total } kwartieren tot { $time }: { $kwh } tegen gemiddeld { $price }.
reason_ev_cheapest_2 = Laadt de auto in het goedkoopste van { $total } kwartieren tot { $time }: { $kwh } tegen { $price }.
short_ev_cheapest_1 = Goedkoopste { $count } van { $total } kwartieren tot { $time }
short_ev_cheapest_2 = Goedkoopste van { $total } kwartieren tot { $time }
short_ev_cheapest_3 = Laadt als het het goedkoopst is
reason_ev_throughout_1 = Laadt de auto tot { $time } in elk kwartier, ook tegen { $dearest }: { $kwh } tegen gemiddeld { $price }.
reason_ev_throughout_2 = Laadt de auto tot { $time } in elk kwartier: { $kwh } tegen { $price }.
reason_ev_throughout_3 = Laadt de auto tot { $time } in elk kwartier: { $kwh }.
short_ev_throughout_1 = Laadt de hele tijd tot { $time }
short_ev_throughout_2 = Laadt de hele tijd
reason_ev_surplus_1 = Laadt de auto met zonneoverschot dat bij verkoop { $sell } zou opleveren.
reason_ev_surplus_2 = Laadt de auto met zonneoverschot waarvan terugleveren { $fee } zou kosten.
reason_ev_surplus_3 = Laadt de auto met zonneoverschot; nog eens { $held } wordt afgeregeld.
reason_ev_surplus_4 = Laadt de auto met zonneoverschot dat niet mag worden teruggeleverd.
short_ev_surplus_1 = Zonneoverschot; verkocht { $sell }
short_ev_surplus_2 = Zonneoverschot
reason_ev_every_slot_1 = Laadt de auto in elk kwartier tot { $time }: met minder zou hij niet klaar zijn.
short_ev_every_slot_1 = Heeft elk kwartier tot { $time } nodig
short_ev_every_slot_2 = Heeft elk kwartier nodig
reason_ev_late_1 = Laadt de auto zo veel als kan, maar { $at_time } ontbreekt er nog { $kwh }.
short_ev_late_1 = Laadt wat kan; er ontbreekt { $kwh }
short_ev_late_2 = Laadt wat kan, maar te laat
reason_ev_short_1 = De auto wacht, hoewel er { $at_time } nog { $kwh } ontbreekt.
short_ev_short_1 = Wacht, hoewel er { $kwh } gaat ontbreken
short_ev_short_2 = Wacht, hoewel er iets gaat ontbreken
reason_ev_among_1 = Laadt de auto tegen { $buy }: andere kwartieren tot { $time } besparen bijna niets, of zijn uiteindelijk duurder.
reason_ev_among_2 = Laadt de auto nu: andere kwartieren tot { $time } besparen bijna niets, of zijn uiteindelijk duurder.
short_ev_among_1 = Laadt tegen { $buy }; elders niet beter
short_ev_among_2 = Laadt; elders niet beter
reason_ev_waits_1 = De auto wacht: een kWh kost nu { $buy }, vanaf { $time } maar { $price }.
short_ev_waits_1 = Wacht op { $time }: { $price } in plaats van { $buy }
short_ev_waits_2 = Wacht op een lagere prijs
reason_ev_waits_surplus_1 = De auto wacht op zonneoverschot, verwacht vanaf { $time }.
reason_ev_waits_surplus_2 = De auto wacht op zonneoverschot; tot het vertrek wordt er niet genoeg verwacht.
short_ev_waits_surplus_1 = Wacht op zon vanaf { $time }
short_ev_waits_surplus_2 = Wacht op zon
reason_ev_waits_peak_1 = De auto wacht: nu laden zou de piek met { $kw } verhogen, en dat kost { $cost } per maand.
short_ev_waits_peak_1 = Wacht: { $kw } meer piek kost { $cost } per maand
short_ev_waits_peak_2 = Wacht: de piek zou stijgen
reason_ev_later_1 = De auto laadt vanaf { $time }: nu laden is duurder, of bespaart bijna niets.
reason_ev_later_2 = De auto hoeft nog niet te laden: na wat er is gepland, blijft genoeg tijd over.
short_ev_later_1 = Laadt vanaf { $time }
short_ev_later_2 = Laadt later
reason_ev_ready_1 = De auto is zo vol als gewenst.
short_ev_ready_1 = Zo vol als gewenst
reason_ev_gives_1 = De auto voedt het huis: kopen kost { $buy }.
short_ev_gives_1 = Voedt het huis: kopen kost { $buy }
short_ev_gives_2 = Voedt het huis
reason_ev_pinned_1 = Laadt de auto zoals jij hebt vastgezet.
short_ev_pinned_1 = Laadt zoals vastgezet
reason_ev_minimum_1 = Laadt de auto met het minimum van { $kw }, tot hij vol is.
short_ev_minimum_1 = Laadt het minimum van { $kw }
short_ev_minimum_2 = Laadt het minimum
