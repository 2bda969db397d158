### What the page Data says.

title = Data
headline_clean =
    { $judged ->
        [one] The one checked day of this month is reliable.
       *[other] All { $judged } checked days of this month are reliable.
    }
headline_some =
    { $good ->
        [one] { $good } of { $judged } checked days of this month is reliable.
       *[other] { $good } of { $judged } checked days of this month are reliable.
    }
headline_empty = Luna has not checked a day of this month yet.
lead = Luna learns and plans with these measurements. Doubtful values wait below for your decision.
span_none = There are no measurements yet.
span = Measurements from { $first } to { $last }.
stale = No new values for { $hours } h. Check your sensors.
quality_title = Quality by day
month_before = Previous month
month_after = Next month
months = Choose month
verdict_clean = good
verdict_mask_battery = good, except battery
verdict_exclude = not used
verdict_none = not checked
estimated_days = partly estimated
reasons_title = Problems found
turn_sign = Yes, reverse the sign of { $sensor }, also for the past
exchange_sensors = Yes, swap “{ $source }” and “{ $sink }”, also for the past
judge = Check this month again
gaps_title = Gaps
gaps_show = Show the gaps of this month
gaps_loading = Looking for gaps …
gaps_none = No gaps.
gaps_unknown = Luna could not look for gaps.
gaps_more = and { $count } more
column_series = What is missing
column_from = From
column_to = Until
column_slots = Quarter-hours
quarantine_title = Rows set aside
quarantine_note = newest first
quarantine_none = No rows wait for your decision.
quarantine_more = You see only the newest { $count }.
row_line = line { $line } · received { $at }
release = Use as it is
dismiss = Leave out
correct = Correct …
correct_send = Use with these values
release_named = Use as it is: row { $id }
dismiss_named = Leave out: row { $id }
decided_released = Luna now uses row { $id }.
decided_corrected = Luna now uses row { $id } with your values.
decided_dismissed = Luna leaves out row { $id }.
upload_title = Upload a file
upload_note = CSV, Excel or JSON from your supplier, inverter or Home Assistant. You check it before Luna saves it.
upload_look = Check file
upload_known = The file already has Luna's columns (also Parquet, weather, CO₂, sensor readings)
upload_file = File
upload_kind = Content
kind_observations = Measured quarter-hours
kind_prices = Prices
kind_weather = Weather
kind_carbon = CO₂ of grid power
kind_readings = Sensor readings
upload_timezone = Time zone, if the file has none
upload_units = Units, if the file has none
upload_send = Upload
upload_progress = Uploaded
upload_failed = The file did not arrive. Try again.
loads_title = Uploaded files
loads_none = You have not uploaded a file yet.
load_counts =
    { $rows ->
        [one] { $rows } row: { $accepted } accepted ({ $accepted_in_part } in part), { $repaired } repaired, { $quarantined } set aside, { $duplicated } duplicate
       *[other] { $rows } rows: { $accepted } accepted ({ $accepted_in_part } in part), { $repaired } repaired, { $quarantined } set aside, { $duplicated } duplicate
    }
load_done = done
load_queued = waiting
load_running = running
load_failed = failed
load_dead = stopped
load_cancelled = cancelled
