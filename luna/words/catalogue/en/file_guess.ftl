### What the page says that shows how a file of anybody's would be read.

title = What is in the file
headline = { $file }: this is how it would be stored
headline_open = { $file }: one thing only you know
headline_nothing = { $file }: say what its columns are
lead = Nothing is stored yet. Change what is wrong, then store it.
questions = What the file does not say
choose = Please choose
question_zone = Which clock do its times follow?
question_label = Does a time name the beginning or the end of its interval?
question_day_order = Does the day come first, or the month?
question_decimal = What is the comma in 1,234?
question_consumption = { $column }: what the house used, or what was bought from the grid?
question_meaning = { $column }: what is it?
question_unit = { $column }: in which unit?
question_unit_price = { $column }: in which unit?
question_sign_grid = { $column }: what is above zero?
question_sign_battery = { $column }: what is above zero?
choice_start = the beginning
choice_end = the end
choice_day_first = the day: 31/12
choice_month_first = the month: 12/31
choice_comma = a decimal comma: a little more than one
choice_point = a mark between thousands: over a thousand
choice_import = buying
choice_export = feeding in
choice_charge = charging
choice_discharge = discharging
zone_local = { $zone }, with summer time
zone_standard = standard time all year ({ $zone })
zone_utc = UTC
columns = Columns
column = Column
stored_as = Stored as
unit = Unit
measure = Its figures are
why = Why
as_grid = Grid, both ways
as_battery = Battery, both ways
as_spot_price = Market price
as_nothing = do not store
measure_interval = energies of each row
measure_counter = a meter's readings
measure_power = powers
measure_level = levels
picture = The last days of it
totals = What it comes to
totals_note = Compare it with a bill: a wrong unit or meaning shows here.
totals_part = The file is long: these are its beginning and its end only. All of it is stored.
month = Month
year = Sum of the year { $year }
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
step_none = whenever something changed
lost =
    { $count ->
        [one] The time of { $count } row cannot be read; it goes into quarantine.
       *[other] The time of { $count } rows cannot be read; they go into quarantine.
    }
again = Show again with these choices
store = Store
unanswered = Answer what stands above first; nothing was stored.
back = Back without storing
reason_form_text = Text in { $encoding }, cells separated by “{ $separator }”
reason_form_workbook = Workbook, sheet “{ $sheet }”
reason_form_states = History or statistics of Home Assistant
reason_form_records = JSON, a list of rows
reason_lines_above =
    { $count ->
        [one] { $count } line stands above the values
       *[other] { $count } lines stand above the values
    }
reason_decimal_comma = Decimal comma
reason_one_value_per_row = One value per row; “{ $column }” says whose
reason_label_from_to = Intervals from … to; “{ $first }” is the beginning
reason_label_word_end = “{ $word }” says the end of each interval
reason_label_word_start = “{ $word }” says the beginning of each interval
reason_label_day_start = Its days go from { $first } to { $last }: times are beginnings
reason_label_day_end = Its days begin at { $first }: times are ends
reason_day_first = Day before month: there is a { $day }.
reason_month_first = Month before day: there is a { $day }.
reason_day_first_points = Day before month, as points say
reason_day_first_in_a_row = Day before month: so the days follow one another
reason_month_first_in_a_row = Month before day: so the days follow one another
reason_zone_offset = Times carry their offset: { $example }
reason_zone_word = “{ $word }” says the clock: { $zone }
reason_zone_changes = The clock changes on { $day } as in { $zone }
reason_zone_stays = The clock is not put forward or back: it has no summer time
reason_no_figures = no measured figures
reason_word = “{ $word }” in its name
reason_word_above = “{ $word }” above the table
reason_part_of_others = “{ $word }”: nothing that Luna stores
reason_unit_said = in { $unit }
reason_power_unit = a power, for { $unit } is one
reason_counter_rises = only rises, as meters do
reason_counter_of_states = states of an energy are a meter's
reason_consumption_of_house = of the house: grid or solar power stand beside it
reason_consumption_of_meter = from the grid: it is a meter's file
reason_never_below_zero = never below zero
reason_written_below_zero = written below zero
reason_both_signs = has both signs
reason_added_up = { $count } columns are added up
reason_same_as = “{ $column }” says the same better
reason_price_apart = load the file once more for its prices alone
reason_percent_by_figures = percent, by its figures
reason_share_by_figures = a share of 1, by its figures
reason_chosen = chosen by you
