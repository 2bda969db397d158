### Why a forecast is wide.

no_history = Nothing was measured in the last weeks, or less than a day: the consumption follows the standard load profile of households (BDEW H25).
load_by_yearly_kwh = Its level is the yearly consumption that the site's page says (household.yearly_kwh).
load_by_persons = Its level is assumed from the persons in the household. Tell the yearly consumption on the site's page (household.yearly_kwh).
load_assumed = A consumption of 3,500 kWh a year is assumed. Tell yours, or the persons in the household, on the site's page (household).
short_history = Fewer than two weeks are known: the forecast repeats them with a wide margin.
load_gaps = Much of the latest consumption is missing: the forecast rests on older days.
pv_gaps = Much of the latest solar output is missing: the forecast rests on older days.
load_frozen = The consumption reading stood still for hours; what it said then is not used. Check the sensor.
pv_frozen = The solar reading stood still for hours; what it said then is not used. Check the sensor.
load_constant = The consumption never changed: the forecast repeats it, though no household is that steady. Check the sensor.
pv_silent = The arrays yielded nothing for days: snow, an inverter that is off, or a sensor. The sun may bring them back.
pv_held_back = PV was held back on { $held_back } of the last { $days } days: what the sun could have given was estimated.
unnamed_ac_limit = The inverter seems to give { $kw } kW at most, whatever the sun. Name it in the site's file: ac_limit_kw, under inverters.
roof_grown = The arrays yield more than they used to: what was measured before is scaled up to the new output.
roof_exceeds_peak = The arrays yield more than their stated peak power. Correct it on the site's page (peak_kw).
clock_change = The clock changes within the forecast: habits follow the clock, but not all of them.
future_reading = Readings are dated in the future and are not used. Check the clock of the sensor.
weather_missing = The weather ahead is not known, though the model learned from it.
weather_late = The weather forecast is old: a newer one did not arrive.
model_unusable = The trained model cannot be used: the forecast repeats recent days with a wide margin. Train again.
model_away = The store of models does not answer: the forecast repeats recent days with a wide margin.
sun_from_time_zone = The site does not say where it is: its sun is a rough one, of its time zone. Say where it is on the site's page (location).
untrained = No model was trained yet: the forecast repeats recent days with a wide margin.
