### Why a forecast is uncertain.

no_history = There are no recent measurements yet. Luna uses a typical household (BDEW H25).
load_by_yearly_kwh = It uses the yearly consumption you entered for your home.
load_by_persons = Luna estimates the consumption from the number of people. Enter your yearly kWh on your home's page.
load_assumed = Luna assumes 3,500 kWh a year. Enter your yearly kWh or the number of people on your home's page.
short_history = Luna has less than two weeks of values. The forecast repeats them and is uncertain.
load_gaps = Many recent consumption values are missing. The forecast uses older days.
pv_gaps = Many recent solar values are missing. The forecast uses older days.
load_frozen = The consumption sensor sent the same value for hours. Luna ignores these values. Check the sensor.
pv_frozen = The solar sensor sent the same value for hours. Luna ignores these values. Check the sensor.
load_constant = The consumption never changes, which is unusual for a home. The forecast repeats it. Check the sensor.
pv_silent = There has been no solar power for days. Check the inverter, the sensor and the panels for snow.
pv_held_back = Something limited solar on { $held_back } of the last { $days } days. Luna estimates what was possible.
pv_blended = Outside services give { $percent }% of this solar forecast. Each counts for as much as it was right lately.
unnamed_ac_limit = The inverter never gives more than { $kw } kW. Enter this as its limit in your home's settings file (ac_limit_kw, under inverters).
roof_grown = Your solar panels yield more than before. Luna scales the older values up.
roof_exceeds_peak = Your solar panels yield more than the peak power you entered. Correct it on your home's page.
clock_change = The clocks change during the forecast. Some habits follow the clock, some do not.
future_reading = Some readings have a date in the future. Luna ignores them. Check the sensor's clock.
weather_missing = There is no weather forecast. Without it, Luna's forecast is less certain.
weather_late = The weather forecast is old. A newer one did not arrive.
model_unusable = Luna cannot read its trained forecast. Luna repeats recent days instead. Train again on the page Forecast.
model_away = Luna cannot reach its trained forecast at the moment. Luna repeats recent days instead.
sun_from_time_zone = Your home has no location. Luna can only estimate its sunshine roughly. Enter the location on your home's page.
untrained = Luna has not trained a forecast yet. It repeats recent days, so it is uncertain.
