### What is wrong with a day's data, and what its columns are called.

prices_market = Prijzen van { $market }

# A column of the quarter-hours, as an owner knows it.
series_load_kwh = Verbruik
series_pv_kwh = Zonnestroom
series_import_kwh = Netafname
series_export_kwh = Teruglevering
series_charge_kwh = Batterij geladen
series_discharge_kwh = Batterij ontladen
series_soc = Batterijniveau
series_residual_kwh = Niet verklaard door de meters
series_beyond_house_kwh = Apparaten die de huismeter niet telt
series_import_price = Stroomprijs
series_export_price = Terugleververgoeding

# What is wrong with a day's data.
fault_coverage = { $series }: slechts { $known } van { $slots } kwartieren zijn bekend
fault_silent = { $series } is onvolledig: { $sensor } stuurt sinds { $since } geen waarden. Vervang of verwijder de sensor in de instellingen van je huis onder Sensoren
fault_unheard = { $series } is onvolledig: { $sensor } heeft nog nooit waarden gestuurd. Verbeter de naam of verwijder de sensor in de instellingen van je huis onder Sensoren
fault_estimated = { $series }: { $known } van { $slots } kwartieren zijn geschat. Het dagtotaal is gemeten
fault_repaired = { $series }: { $known } van { $slots } kwartieren zijn hersteld
fault_balance = De meters kloppen niet met elkaar: { $open } van { $flow } kWh is onverklaard
fault_balance_unusual = De meters kloppen niet met elkaar: { $open } van { $flow } kWh is onverklaard, anders hoogstens { $usual } kWh. Stond een meter stil, of liep zijn klok verkeerd?
fault_sensor_wrong_sign = { $sensor } is altijd negatief. Is het teken verkeerd? Zet een minteken voor de naam, in de instellingen van je huis onder Sensoren
fault_sensor_thousandfold = { $sensor } meldt duizend keer meer dan in je huis mogelijk is. Stuurt hij watt in plaats van kilowatt?
fault_sensor_night = { $sensor } meldt 's nachts zonnestroom. Is het de juiste sensor, en loopt zijn klok goed?
fault_sensor_means_no_value = { $sensor } stuurde { $readings } keer “geen waarde”
fault_counted_alone = { $sensor } stuurde geen waarden. { $series } telt alleen de andere sensoren. Is het een oude sensor? Verwijder hem in de instellingen van je huis onder Sensoren
fault_scaled_down = { $sensor } lijkt duizend keer te laag. Klopt de eenheid?
fault_scaled_up = { $sensor } lijkt duizend keer te hoog. Klopt de eenheid?
fault_frozen = { $sensor } veranderde { $hours } uur niet, terwijl de andere meters { $missed } kWh telden. Hangt de sensor, of telt hij de andere richting?
fault_clock_late = { $sensor } lijkt { $hours } uur te laat. Loopt de klok goed?
fault_clock_early = { $sensor } lijkt { $hours } uur te vroeg. Loopt de klok goed?
fault_turned = “{ $source }” en “{ $sink }” lijken verwisseld. Wissel hun sensoren om in de instellingen van je huis onder Sensoren. Gebruiken beide dezelfde sensor? Zet het minteken dan bij het andere veld
fault_devices_beyond_house =
    { $known ->
        [one] { $series }: { $open } kWh meer dan de huismeter telde, in { $known } kwartier. Telt de huismeter dit apparaat mee? Zo niet, geef dat bij de sensor aan, in de instellingen van je huis onder Sensoren
       *[other] { $series }: { $open } kWh meer dan de huismeter telde, in { $known } kwartieren. Telt de huismeter dit apparaat mee? Zo niet, geef dat bij de sensor aan, in de instellingen van je huis onder Sensoren
    }
fault_devices_beyond_grid =
    { $known ->
        [one] { $series }: { $open } kWh meer dan het huis volgens de netmeter verbruikte, in { $known } kwartier. Telt de netmeter dit apparaat mee? Zo niet, voeg de sensor ook toe bij netafname, in de instellingen van je huis onder Sensoren
       *[other] { $series }: { $open } kWh meer dan het huis volgens de netmeter verbruikte, in { $known } kwartieren. Telt de netmeter dit apparaat mee? Zo niet, voeg de sensor ook toe bij netafname, in de instellingen van je huis onder Sensoren
    }
fault_rebuild = { $series }: { $before } kWh is opgeslagen, opnieuw berekend is het { $after } kWh. Controleer eenheid en betekenis van de sensor. Wil je de nieuwe waarden, neem ze dan over bij de apart gezette rijen
fault_price_gap = { $series }: onbekend in { $known } van { $slots } kwartieren
fault_price_zero = { $series }: nul in { $known } van { $slots } kwartieren, maar de marktprijs is niet nul
fault_soc_jump =
    { $known ->
        [one] Het batterijniveau verandert sneller dan de batterij kan, in { $known } kwartier
       *[other] Het batterijniveau verandert sneller dan de batterij kan, in { $known } kwartieren
    }
fault_soc_excursion =
    { $known ->
        [one] Het batterijniveau zit er in { $known } kwartier tot { $jump }% naast en keert dan terug. Is de sensor opnieuw gestart?
       *[other] Het batterijniveau zit er in { $known } kwartieren tot { $jump }% naast en keert dan terug. Is de sensor opnieuw gestart?
    }
fault_soc_stuck = Het batterijniveau bleef gelijk terwijl { $flow } kWh is geladen of ontladen
fault_soc_reversed = Het batterijniveau daalt terwijl de batterij laadt ({ $against } van { $moved } kWh). Zijn de sensoren voor laden en ontladen verwisseld? Wissel ze om in de instellingen van je huis onder Sensoren
fault_soc_drift = Het batterijniveau veranderde { $told } kWh, maar de meters telden { $metered } kWh
fault_open = De dag is nog niet voorbij
fault_unreadable = Een andere versie van Luna heeft de redenen opgeslagen. Luna kan ze niet tonen. Controleer deze maand opnieuw
