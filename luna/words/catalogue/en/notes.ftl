### What a plan rests on.

note_soc_assumed = No state of charge was recorded in the 24 hours before: batteries are taken to be { $soc } full.
note_soc_earlier = The last recorded state of charge, { $soc }, is that of { $at }.
note_soc_doubted = { $doubted_at } a charge of { $doubted_soc } was said after { $soc } { $at }, more than the battery can do: { $soc } counts until it is confirmed.
note_soc_stands_still = The battery counts as { $soc } full: its sensor has stood at { $sensor_soc } since { $since }, while its meters counted { $metered_kwh } into it and { $given_kwh } out of it. Check the sensor.
note_soc_outside_limits = The battery { $battery } starts at { $start_soc }, outside its limits of { $min_soc } to { $max_soc }.
note_bias_corrected = The last days' forecasts erred to one side: load is counted { $load_factor } times, sun { $pv_factor } times as forecast.
note_load_beyond_site = { $at } the load is said to be { $kw }, { $times } times the { $limit_kw } that connection, sun and batteries bring: planned as it is; check its unit.
note_load_beyond_homes = { $at } the load is said to be { $kw }, and no home draws { $limit_kw }: planned as it is; check its unit, or name grid.import_limit_kw.
note_pv_beyond_arrays = { $at } the sun is said to bring { $kw }, { $times } times the { $limit_kw } of the PV arrays: planned as it is; check its unit, or peak_kw.
note_price_beyond_markets = { $at } { $series } is { $price }, and no price per kWh known goes beyond { $known_price }: planned as it is; check its unit.
note_prices_beyond_last_week = Prices ahead reach { $price }, { $times } times the { $known_price } that the last week stayed within: planned as they are; check their unit.
note_inverter_alone = In the time there was, no plan was found: batteries do what their inverters do by themselves.
note_not_confirmed = What was found, the simulation of the devices did not confirm; the plan shows what really comes of it. Please report this: { $found }
note_tariff_default = The tariff is that of a site that names none: buying costs { $import_price } at any time, selling earns { $export_price }.
note_prices_unused = Prices loaded for the site ({ $series }) are not used: its tariff says { $kinds }. With kind: series in its place they would be.
note_prices_carried_on = Prices are known until { $since }; from then on those of the last known day go on.
note_prices_typical = No prices of { $markets } have come from { $since } on: Luna plans with predicted ones, typical of the month and the hour (as in: { $like }). Real prices replace them as soon as they come.
note_forecast_fallback = { $active } has no fresh forecast of the start: load and PV are as { $version } forecast them { $issued_at }.
note_forecast_old = Load and PV are as { $version } forecast them { $issued_at }: a newer forecast did not come.
note_forecast_awaits_proof = Load and PV are those of { $version }: { $candidate } is trained, and { $days } of { $needed } days are scored{ $earliest }.
note_forecast_not_better =
    { $days ->
        [one] Load and PV are those of { $version }: { $candidate } is trained, and on { $days } scored day it was not found better.
       *[other] Load and PV are those of { $version }: { $candidate } is trained, and on { $days } scored days it was not found better.
    }

# From when on a trained forecast may take over, where that is known.
earliest_known = ; it may take over from { $day } on

# Why a rule of the strategy applies.
rule_vacation = Nobody is at home.
rule_outage = A warning holds from { $first } to { $last }.
rule_price_extremes = The day of { $first } is beyond { $share } of the last { $days } days in level or spread of prices.
rule_s_index_cold = A factor of { $factor }: { $share } of the load ahead is not met by the sun, { $cold } of the way to the coldest day.
rule_s_index = A factor of { $factor }: { $share } of the load ahead is not met by the sun, and the temperature is unknown.
