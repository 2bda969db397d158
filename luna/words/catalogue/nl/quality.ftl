### What speaks against a day's data, and what its columns are called.

prices_market = Prijzen van { $market }

# A column of the quarter-hours, and what a home owner calls it.
series_load_kwh = Verbruik
series_pv_kwh = Zonnestroom
series_import_kwh = Afname
series_export_kwh = Teruglevering
series_charge_kwh = Batterij geladen
series_discharge_kwh = Batterij ontladen
series_soc = Laadniveau
series_residual_kwh = Wat meters niet verklaren
series_beyond_house_kwh = Wat apparaten buiten de huismeter om verbruiken
series_import_price = Afnameprijs
series_export_price = Terugleververgoeding

# What speaks against a day's data.
fault_coverage = { $series } is bekend in { $known } van { $slots } kwartieren
fault_silent = { $series }: { $sensor } zwijgt sinds { $since }, dus de som is onbekend. Is er een andere meter voor in de plaats, vul die dan in op de pagina van de locatie, onder Sensoren; anders haal je hem daar weg
fault_unheard = { $series }: { $sensor } heeft nog nooit iets gemeld, dus de som is onbekend. Verbeter de naam op de pagina van de locatie, onder Sensoren, of haal hem weg
fault_estimated = { $series }: de som komt van de meter, { $known } van { $slots } kwartieren ervan zijn geschat
fault_repaired = { $series } is hersteld in { $known } van { $slots } kwartieren
fault_balance = de meters verklaren { $open } van { $flow } kWh niet
fault_balance_unusual = de meters verklaren { $open } van { $flow } kWh niet, op de dagen eromheen meestal hoogstens { $usual }. Stond er een stil, of liep zijn klok verkeerd?
fault_sensor_wrong_sign = { $sensor } is altijd negatief. Is het teken omgekeerd? Dan helpt een minteken voor de naam, op de pagina van de locatie, onder Sensoren
fault_sensor_thousandfold = { $sensor } noemt duizend keer wat de locatie kan. Meet hij watt en noemt hij dat kilowatt?
fault_sensor_night = { $sensor } wekt midden in de nacht op. Is dit echt de sensor van het dak, en loopt zijn klok goed?
fault_sensor_means_no_value = { $sensor } had een tijd geen waarde ({ $readings } metingen)
fault_counted_alone = { $series } is geteld zonder { $sensor }, die niets heeft gemeld. Is dat een oude naam, haal hem dan weg op de pagina van de locatie, onder Sensoren
fault_scaled_down = { $sensor } lijkt duizend keer te laag: maal duizend past hij bij de andere meters. Klopt zijn eenheid?
fault_scaled_up = { $sensor } lijkt duizend keer te hoog: een duizendste ervan past bij de andere meters. Klopt zijn eenheid?
fault_frozen = { $sensor } staat { $hours } uur stil terwijl de andere meters { $missed } kWh melden. Hangt de sensor, of telt hij de andere richting?
fault_clock_late = { $sensor } lijkt { $hours } uur te laat: eerder gemeld past het bij de andere meters. Staat de klok van deze meter goed?
fault_clock_early = { $sensor } lijkt { $hours } uur te vroeg: later gemeld past het bij de andere meters. Staat de klok van deze meter goed?
fault_turned = { $source } en { $sink } lijken verwisseld: andersom verklaren de meters de dag wel. Verwissel hun sensoren op de pagina van de locatie; dient één vermogen met een plus of min voor beide, dan gaat het minteken naar de andere
fault_devices_beyond_house =
    { $known ->
        [one] { $series }: { $open } kWh meer dan de huismeter telt, in { $known } kwartier. Ziet de huismeter dit apparaat? Zo niet, zet de sensor dan in het locatiebestand ook onder outside_house_meter en bouw de kwartieren opnieuw op
       *[other] { $series }: { $open } kWh meer dan de huismeter telt, in { $known } kwartieren. Ziet de huismeter dit apparaat? Zo niet, zet de sensor dan in het locatiebestand ook onder outside_house_meter en bouw de kwartieren opnieuw op
    }
fault_devices_beyond_grid =
    { $known ->
        [one] { $series }: { $open } kWh meer dan de netmeter voor het huis overlaat, in { $known } kwartier. Ziet de netmeter dit apparaat? Zo niet, zet de sensor dan in het locatiebestand ook onder total_grid_import en bouw de kwartieren opnieuw op
       *[other] { $series }: { $open } kWh meer dan de netmeter voor het huis overlaat, in { $known } kwartieren. Ziet de netmeter dit apparaat? Zo niet, zet de sensor dan in het locatiebestand ook onder total_grid_import en bouw de kwartieren opnieuw op
    }
fault_rebuild = { $series } is { $before } kWh, en { $after } kWh als de kwartieren opnieuw worden opgebouwd: de opgeslagen blijven staan. Controleer eenheid en rol van de sensor; bij de geweigerde rijen staat er een om de nieuwe waarden over te nemen
fault_price_gap = { $series } is onbekend in { $known } van { $slots } kwartieren
fault_price_zero = { $series } is nul in { $known } van { $slots } kwartieren, terwijl de markt dat niet was
fault_soc_jump =
    { $known ->
        [one] het laadniveau verandert in { $known } kwartier sneller dan de batterij kan, of deed
       *[other] het laadniveau verandert in { $known } kwartieren sneller dan de batterij kan, of deed
    }
fault_soc_excursion =
    { $known ->
        [one] het laadniveau zit er in { $known } kwartier tot { $jump }% naast en komt dan terug. Is de sensor opnieuw gestart?
       *[other] het laadniveau zit er in { $known } kwartieren tot { $jump }% naast en komt dan terug. Is de sensor opnieuw gestart?
    }
fault_soc_stuck = het laadniveau staat stil terwijl er { $flow } kWh in of uit ging
fault_soc_reversed = de batterij lijkt omgekeerd: het laadniveau daalt terwijl hij laadt ({ $against } van { $moved } kWh). Verwissel de sensoren van total_battery_charge en total_battery_discharge in het locatiebestand; dient één vermogen met een plus of min voor beide, dan gaat het minteken naar de andere
fault_soc_drift = het laadniveau veranderde { $told } kWh, de meters zeggen { $metered } kWh
fault_open = de dag is nog niet voorbij
fault_unreadable = wat ertegen spreekt is door een andere versie van Luna opgeslagen
