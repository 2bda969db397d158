### The house now, for answers, messages and Home Assistant.

# The basis of a figure.
basis_measured = measured
basis_planned = planned
basis_assumed = assumed

# What happens and why, what comes next, costs and savings of days, the car's departure.
house_no_plan = There is no current plan.
house_fault = The last attempt ({ $tried }) failed: { $why }
house_would = Luna is not in control. This is what it would do.
house_silent = { $device } has not confirmed the command of { $at } and runs on its own now. Luna's plan follows.
house_disobeys = { $device } accepted the command of { $at } but does something else. It runs on its own now. Luna's plan follows.
house_spared = { $device } has reached its limit of changes for today and runs on its own now. Luna's plan follows.
house_kept = { $device } keeps its mode from before { $at }. A change would save too little for the wear it causes. Luna's plan follows.
house_level = { $note }
house_unknown = Your consumption has been unknown since { $at }.
house_now = Now, until { $end }: { $mode }. { $reason }
house_now_each = { $device } now, until { $end }: { $mode }. { $reason }
house_next = From { $begin }: { $mode }. { $reason }
house_next_each = { $device } from { $begin }: { $mode }. { $reason }
house_filled = The battery is as full as planned.
house_filled_each = { $device } is as full as planned.
house_drained = The battery is as empty as planned.
house_drained_each = { $device } is as empty as planned.
house_use = { $device } uses { $kwh } from { $begin } to { $end } for { $cost } ({ $basis }).
house_car = { $device } arrives with { $arrives } ({ $arrives_basis }). Departure { $end } with { $leaves } ({ $basis }).
house_stored = The battery is at { $soc } ({ $basis }).
house_stored_each = { $device } is at { $soc } ({ $basis }).
house_stored_at = The battery was at { $soc } ({ $basis } { $at }).
house_stored_at_each = { $device } was at { $soc } ({ $basis } { $at }).
house_paid_today = You have paid { $cost } for energy today so far ({ $basis }).
house_cost_today = By midnight it will be { $cost } ({ $basis }).
house_paid_yesterday = Yesterday you paid { $cost } ({ $basis }).
house_would_save_today = Luna would save you { $saved } today compared with the inverter alone ({ $basis }).
house_saved_today = Luna saves you { $saved } today compared with the inverter alone ({ $basis }).
house_saved_yesterday = Yesterday it saved { $saved } ({ $basis }).

# The reason where the battery level, not the plan, decided the current quarter-hour.
level_decided = At the current battery level this is better than the plan.
