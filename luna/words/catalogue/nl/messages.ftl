### Messages to owners: what happened.

title_no_plan = Geen plan
text_no_plan = { $site }: de besturing is ingeschakeld, maar er is geen plan. De apparaten gaan hun eigen gang.
title_plan_old = Het plan is te oud
text_plan_old = Het laatste plan voor { $site } is van { $at }; tot er een nieuw is, gaan de apparaten hun eigen gang.
title_plan_compromised = Niet alles kan
text_plan_compromised = Het plan voor { $site } kan niet alles waarmaken wat je wilt. { $missed }
title_plan_unproven = Niet alles is op tijd gevonden
text_plan_unproven = De tijd om { $site } te plannen was om voordat er een manier was gevonden om alles waar te maken wat je wilt. Misschien is die er wel; het volgende plan zoekt verder. { $missed }
title_device_silent = Een apparaat geeft geen antwoord
text_device_silent = { $device } van { $site } heeft de opdracht van { $at } niet bevestigd en gaat nu zijn eigen gang.
title_device_disobeys = Een apparaat doet niet wat het wordt opgedragen
text_device_disobeys = { $device } van { $site } heeft de opdracht van { $at } aangenomen en doet al minuten iets anders: wat het laadt of levert, past daar niet bij. Tot { $until } gaat het zijn eigen gang, daarna wordt het opnieuw geprobeerd.
title_device_spared = Een apparaat wordt gespaard
text_device_spared = { $device } van { $site } is zo vaak beschreven als zijn geheugen per dag verdraagt. Tot { $until } doet het wat het uit zichzelf doet; daarna gaat het plan verder.
title_device_kept = Een modus blijft
text_device_kept = { $device } van { $site } gaat verder zoals vóór { $at }: wat het plan nu heeft, zou te weinig opleveren voor een wisseling, waarvan elke het geheugen van het apparaat slijt.
title_sensors_silent = Alle sensoren zwijgen
text_sensors_silent = Sinds { $at } heeft geen sensor van { $site } nog iets gemeld. Controleer Home Assistant of de broker.
title_sensor_silent = Een sensor zwijgt
text_sensor_silent = { $site }: { $sensor } zwijgt sinds { $since }, andere van dezelfde rol niet. Wat { $role } samen is, is sindsdien onbekend. Is er een andere meter voor in de plaats, vul die dan in op de pagina van de locatie, onder Sensoren: hij telt vanaf dat moment. Een die rust, komt vanzelf terug.
title_sensor_unheard = Een sensor bestaat niet
text_sensor_unheard = { $site }: { $sensor } heeft nog nooit iets gemeld, andere van dezelfde rol wel; { $role } telt zonder deze sensor. Verbeter de naam op de pagina van de locatie, onder Sensoren, of haal hem daar weg.
title_device_takes_nothing = De auto neemt niets op
text_device_takes_nothing = { $site }: { $note }
title_level_doubted = Een laadniveau kan niet kloppen
text_level_doubted = { $site }: { $note }
title_agent_offered = Antares heeft zich bewezen
text_agent_offered = { $site }: je kunt Antares de besturing geven ({ $mode }). Het bewijs staat op de pagina Antares; vraag het daar aan.
title_agent_withdrawn = Antares mag niet meer sturen
text_agent_withdrawn = { $site }: sinds { $at } beslist de planner weer alleen ({ $mode } is ingetrokken). Waarom staat op de pagina Antares.
title_cheap_hours = Goedkope uren op komst
text_cheap_hours = { $site }: van { $start } tot { $end } kost stroom gemiddeld { $price } per kWh, over de hele dag { $usual }.
title_weekly_saving = De week
text_weekly_saving = { $site }: nagespeeld kostte Luna { $saved } minder dan alleen de omvormer, op { $days } van 7 dagen.
title_weekly_loss = De week
text_weekly_loss = { $site }: nagespeeld kostte Luna { $saved } meer dan alleen de omvormer, op { $days } van 7 dagen.
title_weekly_proposal = De week
text_weekly_proposal = { $site }: met Luna had de week { $saved } minder gekost dan met alleen de omvormer, geteld over { $days } van 7 dagen. Luna stuurde niet.
title_day_ahead = Vandaag
text_day_ahead = { $site }: { $statements }
title_test = Luna
text_test = Dit is een test: berichten van Luna komen hier aan.

# What all batteries of a site are called.
name_batteries = De batterij
