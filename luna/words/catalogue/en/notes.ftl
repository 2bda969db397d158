### Assumptions of a plan.

note_soc_assumed = No battery level came in the 24 hours before. Luna assumes { $soc }.
note_soc_earlier = The last battery level is { $soc }, from { $at }.
note_soc_doubted = The battery sensor reported { $soc } ({ $at }), then { $doubted_soc } ({ $doubted_at }). The battery cannot change that fast. Luna uses { $soc } until the new value is confirmed.
note_soc_stands_still = The battery sensor has sent { $sensor_soc } since { $since }. Meanwhile the meters counted { $metered_kwh } in and { $given_kwh } out. Luna uses { $soc }. Check the sensor.
note_soc_outside_limits = Battery { $battery } starts at { $start_soc }, outside its limits of { $min_soc } to { $max_soc }.
note_bias_corrected = The last forecasts were too high or too low. To correct this, Luna multiplies use by { $load_factor } and solar by { $pv_factor }.
note_load_beyond_site = The use for { $at } is given as { $kw }. That is { $times } times the { $limit_kw } from grid, solar and batteries. Luna plans with it. Check the unit.
note_load_beyond_homes = The use for { $at } is given as { $kw }. No home uses { $limit_kw }. Luna plans with it. Check the unit, or enter your connection's limit.
note_pv_beyond_arrays = Solar for { $at } is given as { $kw }. That is { $times } times the { $limit_kw } of your panels. Luna plans with it. Check the unit or the peak power.
note_price_beyond_markets = { $series } for { $at } is { $price } per kWh. No known price goes beyond { $known_price }. Luna plans with it. Check the unit.
note_prices_beyond_last_week = The coming prices reach { $price }, { $times } times the { $known_price } of the last week. Luna plans with them. Check their unit.
note_inverter_alone = Luna found no plan in time. The batteries cover your own use as without Luna.
note_plan_improved = Improved after more time: { $saved } cheaper.
note_plan_found = Luna has now found a better plan. At first, time was too short.
note_not_confirmed = The plan shows what simulated devices do. They behave differently from the first plan. Please report this: { $found }
note_tariff_default = Your home has no tariff. Luna assumes { $import_price } for buying and { $export_price } for selling. Enter your tariff.
note_prices_unused = You loaded prices ({ $series }), but your tariff already sets them ({ $kinds }). Luna does not use yours. Choose loaded prices in the tariff (kind: series) to use them.
note_prices_carried_on = Prices are known until { $since }. After that Luna repeats those of the last known day.
note_prices_typical = Prices of { $markets } are missing from { $since } on. Luna plans with prices typical of month and hour, as in { $like }. Real prices replace them.
note_prices_stale = No new prices of { $markets } since { $since }. Luna plans with the last forecast. Check the connection to your supplier.
note_prices_outdone = Forecasts of { $markets } were off by { $source_error } per kWh in the last days. Luna's own prices were off by only { $own_error }. From { $hours } h ahead on, Luna plans with its own.
note_prices_proven = Luna plans with the forecasts of { $markets }. In the last days they were off by { $source_error } per kWh, Luna's own prices by { $own_error }.
note_forecast_fallback = { $active } has no current forecast. Luna uses { $version }, made { $issued_at }.
note_forecast_old = Luna uses the forecast { $version }, made { $issued_at }. There is no newer one.
note_forecast_awaits_proof = Luna uses the forecast { $version }. { $candidate } is trained: { $days } of { $needed } days are tested{ $earliest }.
note_forecast_not_better =
    { $days ->
        [one] Luna uses the forecast { $version }. { $candidate } is trained and was not better on { $days } tested day.
       *[other] Luna uses the forecast { $version }. { $candidate } is trained and was not better on { $days } tested days.
    }
note_limited_devices = From { $at } { $until }, your devices together may draw at most { $kw } from the grid.
note_limited_import = From { $at } { $until }, your home may draw at most { $kw } from the grid.
note_limited_export = From { $at } { $until }, your home may feed in at most { $kw }.

# When a limit of the grid operator ends.
until_known = until { $at }
until_open = until further notice

# From when on a trained forecast may take over, where that is known.
earliest_known = , so it may take over from { $day }

# Why a rule of the strategy applies.
rule_vacation = Nobody is at home.
rule_outage = A warning applies from { $first } to { $last }.
rule_price_extremes = The prices of the day from { $first } are more extreme than on { $share } of the last { $days } days.
rule_s_index_cold = Safety margin { $factor }: solar does not cover { $share } of the use, and the cold reaches { $cold } of the coldest day.
rule_s_index = Safety margin { $factor }: solar does not cover { $share } of the use. The temperature is unknown.
