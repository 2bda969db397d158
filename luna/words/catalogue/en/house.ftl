### The house now.

# What a figure rests on.
basis_measured = measured
basis_planned = planned
basis_assumed = assumed

# What happens and why, what comes next, what days cost and save, when the car leaves.
house_no_plan = No plan is in force.
house_fault = When it was tried last, { $tried }: { $why }
house_would = Nothing is sent to your devices; this is what Luna would do.
house_silent = { $device } has not confirmed what it was told at { $at }, and is left to itself; what follows is the plan.
house_disobeys = { $device } took the command of { $at } and does something else, and is left to itself; what follows is the plan.
house_spared = { $device } was written to as often as its memory bears in a day, and is left to itself; what follows is the plan.
house_kept = { $device } goes on as before { $at }, as a change would gain too little for the wear of the device's memory; what follows is the plan.
house_level = { $note }
house_unknown = What the house uses is not known since { $at }.
house_now = Now, until { $end }: { $mode }. { $reason }
house_now_each = { $device } now, until { $end }: { $mode }. { $reason }
house_next = From { $begin }: { $mode }. { $reason }
house_next_each = { $device } from { $begin }: { $mode }. { $reason }
house_filled = The battery is as full as it is to be.
house_filled_each = { $device } is as full as it is to be.
house_drained = The battery is as empty as it is to be.
house_drained_each = { $device } is as empty as it is to be.
house_use = { $device } takes { $kwh } from { $begin } to { $end } for { $cost } ({ $basis }).
house_car = { $device } comes with { $arrives } ({ $arrives_basis }) and leaves at { $end } with { $leaves } ({ $basis }).
house_stored = The battery is at { $soc } ({ $basis }).
house_stored_each = { $device } is at { $soc } ({ $basis }).
house_stored_at = The battery was at { $soc } ({ $basis } { $at }).
house_stored_at_each = { $device } was at { $soc } ({ $basis } { $at }).
house_paid_today = So far today you paid { $cost } for energy ({ $basis }).
house_cost_today = By midnight it will be { $cost } ({ $basis }).
house_paid_yesterday = Yesterday you paid { $cost } ({ $basis }).
house_would_save_today = Beside the inverter alone Luna would save { $saved } today ({ $basis }).
house_saved_today = Beside the inverter alone the battery saves { $saved } today ({ $basis }).
house_saved_yesterday = Yesterday it saved { $saved } ({ $basis }).

# Why batteries do something else than was planned of the slot that runs.
level_decided = As full as the battery is now, this is better than what was planned.
