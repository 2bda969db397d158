### What the page Data says.

title = Data
headline_clean =
    { $judged ->
        [one] The only day of this month judged so far can be trusted.
       *[other] All { $judged } days of this month can be trusted.
    }
headline_some = { $good } of { $judged } days of this month can be trusted.
headline_empty = No day of this month was judged.
lead = What Luna learns from, plans with and counts. Nothing is dropped silently: what is refused stands below until you decide.
span_none = Nothing was recorded yet.
span = Recorded from { $first } to { $last }.
stale = The last value is { $hours } h old: a source has fallen silent.
quality_title = Quality by day
month_before = Month before
month_after = Month after
months = Shown month
verdict_clean = clean
verdict_mask_battery = all but the battery
verdict_exclude = left out
verdict_none = not judged
estimated_days = partly estimated
reasons_title = What speaks against days
turn_sign = Yes, turn the sign of { $sensor }, also for the past
exchange_sensors = Yes, exchange { $source } and { $sink }, also for the past
judge = Judge this month again
gaps_title = Gaps
gaps_show = Look for gaps of this month
gaps_loading = Looking for gaps …
gaps_none = No gaps: all that was ever told of is there.
gaps_unknown = Gaps could not be looked for:
gaps_more = and { $count } more
column_series = What
column_from = From
column_to = Until
column_slots = Quarter-hours
quarantine_title = Refused rows
quarantine_note = the last ones first
quarantine_none = Nothing waits for you: no row was refused, or all are decided.
quarantine_more = Only the last { $count } are shown.
row_line = line { $line } · received { $at }
release = Let in as it is
dismiss = Leave out
correct = Correct …
correct_send = Let in with these values
release_named = Let in as it is: row { $id }
dismiss_named = Leave out: row { $id }
decided_released = Row { $id } was let in.
decided_corrected = Row { $id } was let in as corrected.
decided_dismissed = Row { $id } is left out for good.
upload_title = Load a file
upload_note = of a supplier, an inverter or Home Assistant: CSV, Excel or JSON. You see what it would be stored as before anything is
upload_look = Look what is in it
upload_known = It has Luna's own columns (also Parquet, weather, carbon, readings)
upload_file = File
upload_kind = What it holds
kind_observations = Measured quarter-hours
kind_prices = Prices
kind_weather = Weather
kind_carbon = Grid intensity (CO₂)
kind_readings = Sensor readings
upload_timezone = Clock of times without offset
upload_units = Unit, where the file does not say it
upload_send = Load
upload_progress = Uploaded
upload_failed = The file did not arrive. Try again.
loads_title = Files loaded last
loads_none = No file was loaded yet.
load_counts =
    { $rows ->
        [one] { $rows } row: { $accepted } accepted ({ $accepted_in_part } in part), { $repaired } repairs, { $quarantined } refused, { $duplicated } twice
       *[other] { $rows } rows: { $accepted } accepted ({ $accepted_in_part } in part), { $repaired } repairs, { $quarantined } refused, { $duplicated } twice
    }
load_done = done
load_queued = waits
load_running = under way
load_failed = refused
load_dead = given up
load_cancelled = cancelled
