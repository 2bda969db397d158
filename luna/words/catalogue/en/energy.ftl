### The page Energy: energy and money of a day, week, month or year.

title = Energy
lead = What your home used and produced, and what it cost.
unit_day = Day
unit_week = Week
unit_month = Month
unit_year = Year
choose_period = Period
earlier = Earlier
later = Later
today = Today
until = Counted until { $day }, { $clock }
cost_title = Cost
cost_unknown = The cost is unknown: prices or meter values are missing.
used_title = Used
bought_title = Bought
sold_title = Sold
produced_title = Produced
not_recorded = no values
own_supply = { $share } self-sufficiency
own_use = you used { $share } of it yourself
previous_title = Comparison
column_energy = Energy
column_kwh = kWh
column_share = Share
column_line = Item
column_cost = Cost
column_now = This period
column_previous = Period before
column_year_before = A year before
row_consumption = Used
row_import = Bought
row_pv = Produced
row_export = Sold
row_self_sufficiency = Self-sufficiency
row_cost = Cost
so_far = All periods here have the same length.
compared_measured = { $period } · { $share } measured
compared_empty = There are no values yet of the period before and of a year before.
sources_title = Where it came from
uses_title = Where it went
bill_title = The bill
bill_without_demand = The capacity charge comes once a month and is not listed here.
shares_title = Where each device's energy came from
column_use = Use
column_solar = Solar
column_battery = Battery
column_grid = Grid
column_grid_cost = Grid cost
shares_note = Luna cannot measure which power a device used. All uses get the same mix of solar, battery and grid.
shares_partial = Only times with all meter values count here.
unmeasured_source = Not measured (grid or battery)
unmetered = { $devices } { $count ->
        [one] has
       *[other] have
    } no meter of { $count ->
        [one] its
       *[other] their
    } own and { $count ->
        [one] is
       *[other] are
    } counted with the house.
partly_known = There are meter values for { $share } of the time.
partly_priced = The cost is known for { $share } of the time.
estimated = Luna estimates { $energy } of it.
chart_label = Energy by { $part }
part_day = hour
part_week = day
part_month = day
part_year = month
chart_title = Use and supply
chart_note = above the line: used, stored and sold · below the line: solar, battery and grid
cost_chart_title = Cost
cost_chart_label = Cost by { $part }
cost_chart_note = energy without the capacity charge
paid = Paid
earned = Earned
part_cost_unknown = not known
as_table = As a table
column_start = From
download = Download as CSV
empty_title = There are no values for this period.
empty_lead = Choose another period, or check on the page Data whether your meter sends values.
