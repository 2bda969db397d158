### Messages to owners: what happened, what it means, what to do.
### A title has three or four words and may name the device; the name of the home comes before the text.

with_site = { $site }: { $text }

# Plans.
title_no_plan = Geen plan beschikbaar
text_no_plan = De besturing is aan, maar Luna heeft geen plan. Tot het volgende plan werken je apparaten met hun eigen instellingen. De pagina Overzicht toont de reden.
title_plan_old = Plan is te oud
text_plan_old = Het laatste plan van Luna is van { $at }. Tot er een nieuw plan is, werken je apparaten met hun eigen instellingen.
title_plan_compromised = Plan mist een doel
text_plan_compromised = Het plan haalt niet alles wat je hebt ingesteld. Er ontbreekt: { $missed }.
title_plan_unproven = Plan mist misschien een doel
text_plan_unproven = Luna had te weinig tijd om een plan te vinden dat alles haalt wat je hebt ingesteld. Het volgende plan probeert het opnieuw. Nu ontbreekt: { $missed }.

# Devices.
title_device_silent = { $device } reageert niet
text_device_silent = { $device }: de opdracht van { $at } is niet bevestigd. Tot het reageert, werkt het apparaat met zijn eigen instellingen. Controleer stroom en netwerk.
title_device_disobeys = { $device } volgt opdrachten niet
text_device_disobeys = { $device }: de opdracht van { $at } kwam aan, maar het gemeten vermogen past er niet bij. Volgende poging: { $until }. Kijk of het apparaat een eigen schema heeft.
title_device_spared = Opdrachten voor vandaag op
text_device_spared = { $device }: Luna stuurt tot { $until } geen opdrachten meer, om het geheugen van het apparaat te sparen. Zolang werkt het met zijn eigen instellingen.
title_device_kept = Modus blijft gelijk
text_device_kept = { $device }: nog in de modus van vóór { $at }. Wisselen bespaart te weinig, en elke wissel slijt het geheugen van het apparaat.
title_device_held = { $device } nog niet vrijgegeven
text_device_held = { $device } volgt misschien nog de laatste opdracht van Luna. Laatste meetwaarde ({ $at }): { $doing }. Luna geeft het apparaat vrij zodra Luna draait en het apparaat reageert. Wil je het nu stoppen, kies dan de eigen stand op het scherm of in de app van het apparaat.
title_device_left = { $device } niet vrijgegeven
text_device_left = { $device } heeft een dag lang niet bevestigd dat Luna het heeft vrijgegeven. Luna probeert het niet meer. Laatste meetwaarde ({ $at }): { $doing }. Kies de eigen stand op het scherm of in de app van het apparaat.
title_device_conflict = { $device } krijgt andere opdrachten
text_device_conflict = { $device } veranderde om { $at } naar: { $doing }. Dat kwam niet van Luna. Meestal is het de app van de fabrikant of een ander energieprogramma. Zet dat uit, of pauzeer het apparaat op de pagina Planning.
title_device_takes_nothing = Auto laadt niet
text_device_takes_nothing = { $note }
title_car_draws_less = { $device } laadt langzamer
text_car_draws_less = { $draw }
title_car_draws_nothing = { $device } laadt niet
text_car_draws_nothing = { $draw }
title_car_departure_at_risk = { $device } wordt niet vol genoeg
text_car_departure_at_risk = { $draw } Je wilt { $wanted } vóór { $at }.

# Sensors.
title_sensors_silent = Geen sensor stuurt waarden
text_sensors_silent = Luna heeft sinds { $at } van geen enkele sensor een waarde gekregen. Controleer Home Assistant of de MQTT-broker.
title_sensor_silent = Sensor stuurt geen waarden
text_sensor_silent = { $sensor } heeft sinds { $since } niets gestuurd. Zonder deze sensor kan Luna dit niet berekenen: { $role }. Controleer de sensor, of vul op de pagina van je huis onder Sensoren de vervanger in.
title_sensor_unheard = Sensor niet gevonden
text_sensor_unheard = { $sensor } heeft nog nooit een waarde gestuurd. Luna rekent zonder deze sensor: { $role }. Verbeter de naam op de pagina van je huis onder Sensoren, of verwijder hem daar.
title_level_doubted = Controleer het batterijniveau
text_level_doubted = { $note }
title_prices_doubted = Controleer de prijzen
text_prices_doubted = { $note }

# Antares, the learning assistant.
title_agent_offered = Antares is klaar
text_agent_offered = Antares heeft zich hiervoor bewezen: { $mode }. Bekijk de resultaten op de pagina Antares; daar kun je het ook inschakelen.
title_agent_withdrawn = Antares beslist niet meer
text_agent_withdrawn = Sinds { $at } geldt weer het gewone plan van Luna. Antares mag dit niet meer: { $mode }. De pagina Antares toont de reden.

# The grid operator.
title_limit_began = Vermogensgrens geldt
text_limit_began = { $limit } Die kwam via { $source }.
title_limit_unkept = Vermogensgrens, besturing staat uit
text_limit_unkept = { $limit } De besturing staat uit, dus Luna houdt dit niet voor je aan. Je schakelt de besturing in op de pagina Planning.
title_limit_ended = Vermogensgrens is voorbij
text_limit_ended = { $limit } { $done }

# News.
title_cheap_hours = Morgen goedkope uren
text_cheap_hours = { $price } per kWh van { $start } tot { $end }. Het gemiddelde van die dag is { $usual }.
title_weekly_saving = { $saved } bespaard vorige week
text_weekly_saving =
    { $days ->
        [one] Je betaalde { $saved } minder dan zonder Luna. { $days } van 7 dagen telt mee.
       *[other] Je betaalde { $saved } minder dan zonder Luna. { $days } van 7 dagen tellen mee.
    }
title_weekly_loss = { $saved } meer vorige week
text_weekly_loss =
    { $days ->
        [one] Je betaalde { $saved } meer dan zonder Luna. { $days } van 7 dagen telt mee. De pagina Besparing toont die dag.
       *[other] Je betaalde { $saved } meer dan zonder Luna. { $days } van 7 dagen tellen mee. De pagina Besparing toont ze.
    }
title_weekly_proposal = { $saved } mogelijk vorige week
text_weekly_proposal =
    { $days ->
        [one] Met de besturing van Luna had je { $saved } minder betaald. { $days } van 7 dagen telt mee. Je schakelt de besturing in op de pagina Planning.
       *[other] Met de besturing van Luna had je { $saved } minder betaald. { $days } van 7 dagen tellen mee. Je schakelt de besturing in op de pagina Planning.
    }
title_day_ahead = Het plan voor vandaag
text_day_ahead = { $statements }

# Of the installation itself, to those who run it.
title_system_fault = Storing in Luna
text_system_fault = { $summary } Wat te doen: { $runbook } ({ $alert } { $service })
title_system_recovered = Storing voorbij
text_system_recovered = Voorbij: { $summary } ({ $alert } { $service })
title_test = Luna-test
text_test = Berichten van Luna komen hier aan.
