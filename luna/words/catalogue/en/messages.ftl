### Messages to owners: what happened.

title_no_plan = No plan
text_no_plan = { $site } is armed and has no plan: its devices do what they do by themselves.
title_plan_old = The plan is too old
text_plan_old = The last plan for { $site } is of { $at }; its devices do what they do by themselves until a new one comes.
title_plan_compromised = Not everything can be had
text_plan_compromised = The plan for { $site } cannot keep all that is wanted. { $missed }
title_plan_unproven = Not everything was found in time
text_plan_unproven = The time to plan { $site } was up before a way was found to keep all that is wanted; there may be one, and the next plan looks again. { $missed }
title_device_silent = A device does not answer
text_device_silent = { $device } of { $site } has not confirmed what it was told at { $at }; it is left to itself.
title_device_disobeys = A device does not do what it is told
text_device_disobeys = { $device } of { $site } took the command of { $at } and has done something else for minutes: what it charges or gives does not fit. It is left to itself until { $until }, then it is tried again.
title_device_spared = A device is spared
text_device_spared = { $device } of { $site } was written to as often in a day as its memory bears. It does what it does by itself until { $until }; the plan goes on then.
title_device_kept = A mode is kept
text_device_kept = { $device } of { $site } goes on as before { $at }: what the plan has now would gain too little for a change, each of which wears out the device's memory.
title_sensors_silent = No sensor is heard
text_sensors_silent = Since { $at } no sensor of { $site } has been heard. Check Home Assistant or the broker.
title_sensor_silent = A sensor is silent
text_sensor_silent = { $site }: { $sensor } has said nothing since { $since }, others of its role do: what { $role } comes to is unknown since then. Where another meter is in its place, name that one on the site's page, under Sensors: it counts from then on. One at rest comes back by itself.
title_sensor_unheard = A sensor that there is not
text_sensor_unheard = { $site }: { $sensor } has never said anything, others of its role do; { $role } is counted without it. Correct its name on the site's page, under Sensors, or take it out there.
title_device_takes_nothing = The car takes nothing
text_device_takes_nothing = { $site }: { $note }
title_level_doubted = A charge cannot be right
text_level_doubted = { $site }: { $note }
title_agent_offered = Antares has proven itself
text_agent_offered = { $site }: Antares may be given control ({ $mode }). Look at the evidence on the page Antares, and ask for it there.
title_agent_withdrawn = Control was taken from Antares
text_agent_withdrawn = { $site }: since { $at } the planner decides alone again ({ $mode } was withdrawn). Why stands on the page Antares.
title_cheap_hours = Cheap hours ahead
text_cheap_hours = { $site }: from { $start } to { $end } electricity costs { $price } per kWh on average, { $usual } over the whole day.
title_weekly_saving = The week
text_weekly_saving = { $site }: by the replay, Luna cost { $saved } less than the inverter alone, on { $days } of 7 days.
title_weekly_loss = The week
text_weekly_loss = { $site }: by the replay, Luna cost { $saved } more than the inverter alone, on { $days } of 7 days.
title_weekly_proposal = The week
text_weekly_proposal = { $site }: Luna would have cost { $saved } less than the inverter alone, on { $days } of 7 days. It was not in control.
title_day_ahead = Today
text_day_ahead = { $site }: { $statements }
title_test = Luna
text_test = This is a test: messages from Luna arrive here.

# What all batteries of a site are called.
name_batteries = The battery
