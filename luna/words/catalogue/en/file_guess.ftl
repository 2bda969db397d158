### The page that shows how Luna reads a file.

title = File content
headline = { $file }: check before saving
headline_open = { $file }: Luna needs your answer
headline_nothing = { $file }: choose what the columns mean
lead = Luna has saved nothing yet. Correct what is wrong, then save.
questions = Open questions
choose = Choose
question_zone = Which time zone do the times have?
question_label = Is each time the start or the end of the period?
question_day_order = Which comes first, day or month?
question_decimal = What does the comma in 1,234 mean?
question_consumption = { $column }: is this the use of the house or the grid import?
question_meaning = { $column }: what does it measure?
question_unit = { $column }: which unit?
question_unit_price = { $column }: which unit?
question_sign_grid = { $column }: what do positive numbers mean?
question_sign_battery = { $column }: what do positive numbers mean?
choice_start = the start
choice_end = the end
choice_day_first = the day: 31/12
choice_month_first = the month: 12/31
choice_comma = a decimal comma, a little more than 1
choice_point = a thousands separator, more than 1,000
choice_import = grid import
choice_export = feed-in
choice_charge = charging
choice_discharge = discharging
zone_local = { $zone }, with summer time
zone_standard = winter time all year ({ $zone })
zone_utc = UTC
columns = Columns
column_number = Column { $number }
stored_as = Save as
unit = Unit
measure = Type of numbers
why = Reason
as_grid = Grid, both directions
as_battery = Battery, both directions
as_spot_price = Market price
as_nothing = do not save
measure_interval = energy per row
measure_counter = meter readings
measure_power = power
measure_level = single value
picture = Last days
totals = Totals
totals_note = Compare the totals with a bill. A wrong unit or meaning shows here.
totals_part = The file is long. You see only its beginning and end. Luna saves all of it.
month = Month
year = Total { $year }
span =
    { $rows ->
        [one] { $rows } row from { $first } to { $last }, { $step }
       *[other] { $rows } rows from { $first } to { $last }, { $step }
    }
step_minutes =
    { $minutes ->
        [one] every minute
       *[other] every { $minutes } minutes
    }
step_none = at every change
lost =
    { $count ->
        [one] Luna cannot read the time of { $count } row. It sets the row aside.
       *[other] Luna cannot read the time of { $count } rows. It sets them aside.
    }
again = Update the preview
store = Save
unanswered = Luna has saved nothing. Answer the open questions first.
back = Back without saving
reason_form_text = Text in { $encoding }, separator “{ $separator }”
separator_tab = tab
reason_form_workbook = Excel file, sheet “{ $sheet }”
reason_form_states = History or statistics from Home Assistant
reason_form_records = JSON with rows
reason_lines_above =
    { $count ->
        [one] { $count } line stands above the values
       *[other] { $count } lines stand above the values
    }
reason_decimal_comma = Decimal comma
reason_one_value_per_row = One value per row, named in “{ $column }”
reason_label_from_to = Start and end in each row, “{ $first }” is the start
reason_label_word_end = “{ $word }” marks the end of each period
reason_label_word_start = “{ $word }” marks the start of each period
reason_label_day_start = Each day runs from { $first } to { $last }, so times are starts
reason_label_day_end = Each day begins at { $first }, so times are ends
reason_day_first = Day before month, because of the number { $day }
reason_month_first = Month before day, because of the number { $day }
reason_day_first_points = Day before month, because of the points
reason_day_first_in_a_row = Day before month: only then are the days in order
reason_month_first_in_a_row = Month before day: only then are the days in order
reason_zone_offset = The times include their time zone: { $example }
reason_zone_word = Time zone { $zone }, because of “{ $word }”
reason_zone_changes = Clock change on { $day }, as in { $zone }
reason_zone_stays = No clock change, so no summer time
reason_no_figures = no measurements
reason_word = “{ $word }” in the name
reason_word_above = “{ $word }” above the table
reason_part_of_others = “{ $word }”: Luna does not need this
reason_unit_said = in { $unit }
reason_power_unit = { $unit } is a unit of power
reason_counter_rises = numbers only rise, as on a meter
reason_counter_of_states = energy sensors report meter readings
reason_consumption_of_house = use of the house, because the file also has grid or solar
reason_consumption_of_meter = grid import, because the file comes from a meter
reason_never_below_zero = never negative
reason_written_below_zero = negative numbers
reason_both_signs = positive and negative numbers
reason_added_up = Luna adds { $count } columns
reason_same_as = “{ $column }” fits better
reason_price_apart = To save its prices, upload the file again
reason_percent_by_figures = percent, going by the numbers
reason_share_by_figures = share from 0 to 1, going by the numbers
reason_chosen = your choice
