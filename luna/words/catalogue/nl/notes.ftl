### Aannames van een plan.

note_soc_assumed = In de 24 uur ervoor is geen batterijniveau vastgelegd. Luna gaat uit van { $soc }.
note_soc_earlier = Het laatste batterijniveau is { $soc }, van { $at }.
note_soc_doubted = De batterijsensor meldde { $soc } ({ $at }) en daarna { $doubted_soc } ({ $doubted_at }). Zo snel kan de batterij niet. Luna rekent met { $soc } tot de nieuwe waarde is bevestigd.
note_soc_stands_still = De batterijsensor stuurt sinds { $since } { $sensor_soc }. De meters telden in die tijd { $metered_kwh } erin en { $given_kwh } eruit. Luna rekent met { $soc }. Controleer de sensor.
note_soc_outside_limits = Batterij { $battery } begint op { $start_soc }, buiten de grenzen van { $min_soc } tot { $max_soc }.
note_bias_corrected = De laatste voorspellingen waren te hoog of te laag. Daarom rekent Luna het verbruik maal { $load_factor } en zon maal { $pv_factor }.
note_load_beyond_site = Het verbruik voor { $at } is opgegeven als { $kw }. Dat is { $times } keer de { $limit_kw } van net, zon en batterijen. Luna plant ermee. Controleer de eenheid.
note_load_beyond_homes = Het verbruik voor { $at } is opgegeven als { $kw }. Geen huis verbruikt { $limit_kw }. Luna plant ermee. Controleer de eenheid, of vul de grens van je aansluiting in.
note_pv_beyond_arrays = Zon voor { $at } is opgegeven als { $kw }. Dat is { $times } keer de { $limit_kw } van je panelen. Luna plant ermee. Controleer de eenheid of het piekvermogen.
note_price_beyond_markets = { $series } voor { $at } is { $price } per kWh. Geen bekende prijs gaat verder dan { $known_price }. Luna plant ermee. Controleer de eenheid.
note_prices_beyond_last_week = De komende prijzen gaan tot { $price }, { $times } keer de { $known_price } van de laatste week. Luna plant ermee. Controleer de eenheid.
note_inverter_alone = Luna vond niet op tijd een plan. De batterijen dekken je eigen gebruik zoals zonder Luna.
note_plan_improved = Verbeterd na langer rekenen: { $saved } goedkoper.
note_plan_found = Luna heeft nu een beter plan gevonden. Eerst was de tijd te kort.
note_not_confirmed = Het plan toont wat gesimuleerde apparaten doen. Ze gedragen zich anders dan in het eerste plan. Meld dit alsjeblieft: { $found }
note_tariff_default = Je huis heeft geen tarief. Luna gaat uit van { $import_price } voor kopen en { $export_price } voor verkopen. Vul je tarief in.
note_prices_unused = Je hebt prijzen geïmporteerd ({ $series }), maar je tarief legt ze al vast ({ $kinds }). Luna gebruikt de jouwe niet. Zet het tarief daarvoor op geïmporteerde prijzen (kind: series).
note_prices_carried_on = Prijzen zijn bekend tot { $since }. Daarna herhaalt Luna die van de laatste bekende dag.
note_prices_typical = Prijzen van { $markets } ontbreken vanaf { $since }. Luna plant met typische prijzen voor maand en uur, zoals in { $like }. Echte prijzen vervangen die.
note_prices_stale = Sinds { $since } zijn er geen nieuwe prijzen van { $markets }. Luna plant met de laatste voorspelling. Controleer de verbinding met je leverancier.
note_prices_outdone = Voorspellingen van { $markets } zaten er de laatste dagen { $source_error } per kWh naast. Luna's eigen prijzen zaten er maar { $own_error } naast. Vanaf { $hours } uur vooruit plant Luna met de eigen prijzen.
note_prices_proven = Luna plant met de voorspellingen van { $markets }. De laatste dagen zaten die er { $source_error } per kWh naast, Luna's eigen prijzen { $own_error }.
note_forecast_fallback = { $active } heeft geen actuele voorspelling. Luna gebruikt { $version }, gemaakt { $issued_at }.
note_forecast_old = Luna gebruikt de voorspelling { $version }, gemaakt { $issued_at }. Er is geen nieuwere.
note_forecast_awaits_proof = Luna gebruikt de voorspelling { $version }. { $candidate } is getraind: { $days } van { $needed } dagen zijn getest{ $earliest }.
note_forecast_not_better =
    { $days ->
        [one] Luna gebruikt de voorspelling { $version }. { $candidate } is getraind en was op { $days } geteste dag niet beter.
       *[other] Luna gebruikt de voorspelling { $version }. { $candidate } is getraind en was op { $days } geteste dagen niet beter.
    }
note_limited_devices = Van { $at } { $until } mogen je apparaten samen hoogstens { $kw } van het net afnemen.
note_limited_import = Van { $at } { $until } mag je huis hoogstens { $kw } van het net afnemen.
note_limited_export = Van { $at } { $until } mag je huis hoogstens { $kw } terugleveren.

# Wanneer een begrenzing van de netbeheerder eindigt.
until_known = tot { $at }
until_open = tot nader order

# Vanaf wanneer een getrainde voorspelling kan overnemen, als dat bekend is.
earliest_known = , vanaf { $day } kan die het overnemen

# Waarom een regel geldt.
rule_vacation = Er is niemand thuis.
rule_outage = Van { $first } tot { $last } geldt een waarschuwing.
rule_price_extremes = De prijzen van de dag vanaf { $first } zijn extremer dan op { $share } van de laatste { $days } dagen.
rule_s_index_cold = Veiligheidsmarge { $factor }: zon dekt { $share } van het verbruik niet, de kou bereikt { $cold } van de koudste dag.
rule_s_index = Veiligheidsmarge { $factor }: zon dekt { $share } van het verbruik niet. De temperatuur is onbekend.
