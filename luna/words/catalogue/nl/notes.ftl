### What a plan rests on.

note_soc_assumed = In de 24 uur ervoor is geen laadniveau vastgelegd: Luna neemt aan dat batterijen voor { $soc } vol zijn.
note_soc_earlier = Het laatst vastgelegde laadniveau, { $soc }, is van { $at }.
note_soc_doubted = Op { $doubted_at } werd een laadniveau van { $doubted_soc } gemeld, na { $soc } op { $at }. Dat kan de batterij niet: { $soc } geldt tot het nieuwe niveau is bevestigd.
note_soc_stands_still = De batterij telt als { $soc } vol: de sensor staat sinds { $since } op { $sensor_soc }, terwijl de meters { $metered_kwh } erin en { $given_kwh } eruit hebben geteld. Controleer de sensor.
note_soc_outside_limits = De batterij { $battery } begint op { $start_soc }, buiten de grenzen van { $min_soc } tot { $max_soc }.
note_bias_corrected = De voorspellingen van de laatste dagen zaten er steeds naar dezelfde kant naast: verbruik telt { $load_factor } keer en zon { $pv_factor } keer zoveel als voorspeld.
note_load_beyond_site = Op { $at } zou het verbruik { $kw } zijn, { $times } keer de { $limit_kw } die aansluiting, zon en batterijen leveren. Luna plant ermee; controleer de eenheid.
note_load_beyond_homes = Op { $at } zou het verbruik { $kw } zijn, en geen huis vraagt { $limit_kw }. Luna plant ermee; controleer de eenheid, of vul grid.import_limit_kw in.
note_pv_beyond_arrays = Op { $at } zou de zon { $kw } leveren, { $times } keer de { $limit_kw } van de zonnepanelen. Luna plant ermee; controleer de eenheid, of peak_kw.
note_price_beyond_markets = Op { $at } is { $series } { $price }, en geen bekende prijs per kWh gaat verder dan { $known_price }. Luna plant ermee; controleer de eenheid.
note_prices_beyond_last_week = De komende prijzen gaan tot { $price }, { $times } keer de { $known_price } van de laatste week. Luna plant ermee; controleer de eenheid.
note_inverter_alone = In de beschikbare tijd is geen plan gevonden: batterijen doen wat hun omvormer vanzelf doet.
note_not_confirmed = De simulatie van de apparaten bevestigde het gevonden plan niet; het plan toont wat er echt van komt. Meld dit alsjeblieft: { $found }
note_tariff_default = Het tarief is dat van een locatie zonder eigen tarief: kopen kost altijd { $import_price }, verkopen levert { $export_price } op.
note_prices_unused = Voor de locatie zijn prijzen geïmporteerd ({ $series }) die niet worden gebruikt: in het tarief staat { $kinds }. Met kind: series op die plaats tellen ze wel.
note_prices_carried_on = Prijzen zijn bekend tot { $since }; daarna gelden die van de laatste bekende dag nog eens.
note_prices_typical = Van { $markets } zijn er vanaf { $since } nog geen prijzen: Luna plant met voorspelde, zoals die in deze maand op dit uur gebruikelijk zijn (voorbeeld: { $like }). Zodra de echte prijzen er zijn, gelden die.
note_forecast_fallback = { $active } heeft geen recente voorspelling voor het begin: verbruik en zon zijn die van { $version }, gemaakt op { $issued_at }.
note_forecast_old = Verbruik en zon zijn die van { $version }, gemaakt op { $issued_at }: een nieuwere voorspelling kwam er niet.
note_forecast_awaits_proof = Verbruik en zon zijn die van { $version }: { $candidate } is getraind, { $days } van { $needed } dagen zijn beoordeeld{ $earliest }.
note_forecast_not_better =
    { $days ->
        [one] Verbruik en zon zijn die van { $version }: { $candidate } is getraind en was op { $days } beoordeelde dag niet beter.
       *[other] Verbruik en zon zijn die van { $version }: { $candidate } is getraind en was op { $days } beoordeelde dagen niet beter.
    }

# From when on a trained forecast may take over, where that is known.
earliest_known = ; overnemen kan vanaf { $day }

# Why a rule of the strategy applies.
rule_vacation = Er is niemand thuis.
rule_outage = Van { $first } tot { $last } geldt een waarschuwing.
rule_price_extremes = De dag vanaf { $first } valt in hoogte of spreiding van de prijzen buiten { $share } van de laatste { $days } dagen.
rule_s_index_cold = Een factor van { $factor }: { $share } van het komende verbruik dekt de zon niet, en het is { $cold } op weg naar de koudste dag.
rule_s_index = Een factor van { $factor }: { $share } van het komende verbruik dekt de zon niet, en de temperatuur is onbekend.
