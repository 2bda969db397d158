### Messages to owners: what happened, what it means, what to do.
### A title has three or four words and may name the device; the name of the home comes before the text.

with_site = { $site }: { $text }

# Plans.
title_no_plan = No plan available
text_no_plan = Control is on, but Luna has no plan. Your devices run on their own settings until the next plan. The page Home shows the reason.
title_plan_old = Plan is too old
text_plan_old = Luna's last plan is from { $at }. Your devices run on their own settings until a new plan arrives.
title_plan_compromised = Plan misses a target
text_plan_compromised = The plan cannot meet all your settings. Missing: { $missed }.
title_plan_unproven = Plan may miss a target
text_plan_unproven = Luna ran out of time before it found a plan that meets all your settings. The next plan tries again. Missing for now: { $missed }.

# Devices.
title_device_silent = { $device } does not respond
text_device_silent = { $device }: no confirmation of the command from { $at }. The device runs on its own settings until it responds. Check its power and network.
title_device_disobeys = { $device } ignores commands
text_device_disobeys = { $device }: the command from { $at } arrived, but the measured power does not match it. Luna tries again at { $until }. Check the device for a schedule of its own.
title_device_spared = Daily command limit reached
text_device_spared = { $device }: Luna sends no more commands until { $until }, to protect the device's memory. It runs on its own settings until then.
title_device_kept = Mode stays the same
text_device_kept = { $device }: still in the mode from before { $at }. A change would save too little, and every change wears the device's memory.
title_device_held = { $device } not yet released
text_device_held = { $device } may still follow Luna's last command. Last reading ({ $at }): { $doing }. Luna releases it as soon as Luna runs and the device responds. To end it now, choose the device's own mode on its display or in its app.
title_device_left = { $device } not released
text_device_left = { $device } has not confirmed for a day that Luna released it. Luna has stopped trying. Last reading ({ $at }): { $doing }. Choose the device's own mode on its display or in its app.
title_device_conflict = { $device } gets other commands
text_device_conflict = { $device } changed at { $at } to: { $doing }. This did not come from Luna. Usually it is the maker's app or another energy manager. Switch that off, or pause the device on the page Schedule.
title_device_takes_nothing = Car does not charge
text_device_takes_nothing = { $note }
title_car_draws_less = { $device } takes less power
text_car_draws_less = { $draw }
title_car_draws_nothing = { $device } does not charge
text_car_draws_nothing = { $draw }
title_car_departure_at_risk = { $device } may leave too empty
text_car_departure_at_risk = { $draw } You want { $wanted } by { $at }.

# Sensors.
title_sensors_silent = No sensor sends values
text_sensors_silent = Luna has received no value from any sensor since { $at }. Check Home Assistant or the MQTT broker.
title_sensor_silent = Sensor sends no values
text_sensor_silent = { $sensor } has sent nothing since { $since }. Luna cannot calculate this without it: { $role }. Check the sensor, or enter its replacement on your home's page under Sensors.
title_sensor_unheard = Sensor not found
text_sensor_unheard = { $sensor } has never sent a value. Luna calculates without it: { $role }. Correct its name on your home's page under Sensors, or remove it there.
title_level_doubted = Check the battery level
text_level_doubted = { $note }
title_prices_doubted = Check the prices
text_prices_doubted = { $note }

# Antares, the learning assistant.
title_agent_offered = Antares is ready
text_agent_offered = Antares has proven itself for this: { $mode }. See its results on the page Antares, and turn it on there if you like.
title_agent_withdrawn = Antares no longer decides
text_agent_withdrawn = Luna's usual plan applies again since { $at }. Antares lost this: { $mode }. The page Antares shows the reason.

# The grid operator.
title_limit_began = Power limit begins
text_limit_began = { $limit } It came through { $source }.
title_limit_unkept = Power limit, control is off
text_limit_unkept = { $limit } Control is off, so Luna does not keep it for you. You can turn it on, on the page Schedule.
title_limit_ended = Power limit is over
text_limit_ended = { $limit } { $done }

# News.
title_cheap_hours = Cheap hours tomorrow
text_cheap_hours = { $price } per kWh from { $start } to { $end }. The average of that day is { $usual }.
title_weekly_saving = { $saved } saved last week
text_weekly_saving =
    { $days ->
        [one] You paid { $saved } less than without Luna. { $days } of 7 days is counted.
       *[other] You paid { $saved } less than without Luna. { $days } of 7 days are counted.
    }
title_weekly_loss = { $saved } more last week
text_weekly_loss =
    { $days ->
        [one] You paid { $saved } more than without Luna. { $days } of 7 days is counted. The page Savings shows it.
       *[other] You paid { $saved } more than without Luna. { $days } of 7 days are counted. The page Savings shows them.
    }
title_weekly_proposal = { $saved } possible last week
text_weekly_proposal =
    { $days ->
        [one] With Luna in control you would have paid { $saved } less. { $days } of 7 days is counted. You can turn control on, on the page Schedule.
       *[other] With Luna in control you would have paid { $saved } less. { $days } of 7 days are counted. You can turn control on, on the page Schedule.
    }
title_day_ahead = Today's plan
text_day_ahead = { $statements }

# Of the installation itself, to those who run it.
title_system_fault = Fault in Luna
text_system_fault = { $summary } What to do: { $runbook } ({ $alert } { $service })
title_system_recovered = Fault is over
text_system_recovered = Over: { $summary } ({ $alert } { $service })
title_test = Luna test
text_test = Messages from Luna arrive here.
