### The frame of every page: navigation, progress of jobs, errors.

skip = Skip to the content
navigation = Pages
language = Language
as_of_offline = As of { $time }, no connection
theme = Theme
theme_system = System
theme_light = Light
theme_dark = Dark
error_title = This did not work
error_home = To the start page
error_where = Where: { $field }
error_report = Number for questions: { $trace_id }
job_queued = Starts soon.
job_running = Running.
job_steps = { $done } of { $total }
job_done = Done.
job_failed = This did not work.
job_dead = This stopped unexpectedly. Luna does not try again.
job_look = Check again
job_progress = Progress
nav_home = Home
nav_planning = Schedule
nav_energy = Energy
nav_savings = Savings
nav_agent = Antares
# Explains the name Antares, in the navigation and below the page's heading.
nav_agent_subtitle = the learning assistant
nav_forecasts = Forecast
nav_what_ifs = What if
nav_knowledge = Documents
nav_data = Data
sites = Homes
sites_choose = Home: { $site }. Choose another one
site_unreadable = cannot be read
site_change = Change this home
site_untold = Luna does not control its devices. Each device keeps its last command. Set the devices yourself until this is fixed.
site_add = Add a home
installation = Installation
account = Account
simulated_name = Demo home
simulated = This is a demo home.
simulated_more = Its figures are not real.
simulated_prices = Prices
simulated_prices_market = today's prices of { $market }
simulated_prices_recorded = prices from a recorded year
simulated_prices_away = prices from a recorded year: Luna could not load today's prices of { $market }
simulated_prices_off = prices from a recorded year: Luna may not load data from the internet (LUNA_OUTSIDE_SERVICES)
simulated_remove = Delete with all its data
another_site = Set up another home
try_battery = Test with 200 W
try_battery_lead = The test takes half a minute. The battery pauses, charges with 200 W and then gives 200 W, ten seconds each. After that it runs on its own again. Control stays as it is.
try_device = Test the devices
try_device_lead = A car charges with 6 A for a minute at most, a switched device is on for as long. Then they stop and run on their own again. Plug the car in first.
try_solar_lead = For a minute at most, the panels give half of what they give now. Then they give everything again. Test while the sun is out.
trying_battery = Luna is testing the battery.
tried_battery = Test result
page_zone = Time zone: { $zone }

# Home and settings: departures that a car's days show, which wait for an answer.
departures_open =
    { $count ->
        [one] Luna has noticed a weekly departure of a car.
       *[other] Luna has noticed { $count } weekly departures of cars.
    }
departures_look = Look at it under Schedule
departure_accept = Accept
departure_accept_named = Accept: { $what }
departure_decline = Decline
departure_decline_named = Decline: { $what }
