### The page Antares: what it does, its evidence, and who decides.

title = Antares

# The top of the page.
headline_untrained = Antares has not learned yet.
headline_learning = Antares is off and still learning.
headline_offered = Antares is ready: you can turn it on.
headline_export_only = Antares is on: it decides when the battery sells.
headline_full_control = Antares is on: it decides what the battery does.
headline_withdrawn = Antares is off. Luna's own plan decides.
lead = Antares is the learning assistant. From past days in your home it learns when to charge and sell.
would_save =
    { $days ->
        [one] On { $days } day Antares would have cost { $amount } less than Luna's own plan.
       *[other] On { $days } days Antares would have cost { $amount } less than Luna's own plan.
    }
would_cost =
    { $days ->
        [one] On { $days } day Antares would have cost { $amount } more than Luna's own plan.
       *[other] On { $days } days Antares would have cost { $amount } more than Luna's own plan.
    }
next = Next step:
turn_on = Turn Antares on
turn_off = Turn Antares off

# Its way to control, and the evidence.
road_title = Steps to control
road_note = Luna checks Antares every night. { $method }
step_trained = Trained
step_replayed = Tested on past days
step_shadow = On trial
step_offered = Ready
step_control = In control
step_trained_done = with data until { $day }
step_trained_ahead = with days of your own home
step_days = { $days } of { $needed } days
step_offered_done = it has proven itself
step_offered_ahead = when it has proven at least as good as Luna's plan
step_offered_withdrawn = turned off
step_control_ahead = when you turn it on
state_done = done
state_now = now
state_ahead = to come
evidence_title = Evidence
evidence_note = Above 0, Antares saves more than Luna's plan. 1 point is 1% of the possible savings. The true value is in the range with 95% certainty.
evidence_replay = Past days
evidence_shadow = Days on trial
evidence_both = Both together
evidence_figures = { $points } points, between { $low } and { $high }
evidence_mode =
    { $days ->
        [one] { $points } points on { $days } day, between { $low } and { $high }. Corrections by Luna's safety check: { $corrected }.
       *[other] { $points } points on { $days } days, between { $low } and { $high }. Corrections by Luna's safety check: { $corrected }.
    }
evidence_none = No evidence yet.
evidence_label = Antares compared with Luna's plan: { $points } points, between { $low } and { $high }
modes_title = What Antares can do
mode_shadow = Stay on trial
mode_export_only = Decide when the battery sells
mode_full_control = Decide what the battery does
gate_active = current
gate_offered = ready
gate_not_ready = not yet
gate_withdrawn = turned off
better = proven cheaper than Luna's plan

# Training.
train_title = Let Antares learn
train_lead = Antares learns from the days Luna measured in your home. It needs three complete weeks. Training takes a few minutes and controls no device.
train = Train now
evaluate = Test on new days
evaluate_lead = On up to 100 days that no training has used.

# What it would have cost.
savings_title = Cost of house and battery
savings_note = The cost of house and battery, with the energy stored. Dashed: saved.
savings_none = Luna has not calculated a day for Antares yet. It does this every night.
period_yesterday = Yesterday
period_week = Last 7 days
period_month = Last 30 days
period_days =
    { $of ->
        [one] { $days } of { $of } day calculated
       *[other] { $days } of { $of } days calculated
    }
period_empty = Luna has not calculated a day of this period.
cheaper = cheaper than Luna's plan
dearer = more expensive than Luna's plan
between = between { $low } and { $high }
policy_idle = Unused battery
policy_self_consumption = Without Luna
policy_mpc = Luna's plan
policy_oracle = Best possible
days_table = Day by day
column_day = Day

# Who decided.
who_title = Who decided today
who_label = Who decided today what the battery did
who_planner = Luna's plan
who_agent = Antares
who_owner = You
who_rule = Inverter alone
who_nobody = No decision
who_empty = There are no decisions today. While control is off, the inverter works alone.
who_table = Every quarter-hour, with the reason
column_time = Time
column_who = Decided by
column_planner = Luna's plan
column_agent = Antares
column_why = Reason
why_override = You set an override.
why_no_plan = There was no plan.
why_plan_too_old = The plan was too old.
why_disarmed = Somebody turned control off.
why_site_unreadable = Luna cannot read the settings of your home.
why_not_acknowledged = The device did not respond.
why_not_followed = The device accepted the command but did something else. Luna leaves it alone for a while.
why_writes_spent = The device has received as many commands today as it can take. It now runs on its own.
why_mode_kept = Luna kept the mode: a change saves too little and wears out the device's memory.
why_operator_limit = The grid operator limits your home. Luna let the device do as much as that allows.
why_planned = As planned.
why_nobody = Control was off, Luna sent nothing.

# Its trainings.
runs_title = Trainings
runs_none = No training yet.
column_kind = Method
column_learned = Data
column_used = Status
column_card = Details
run_speaks = in use
run_accepted = was in use
run_rejected = not used
run_card = Show details
run_card_of = Show details: { $kind }, { $day }
run_title = Training: { $kind }
run_back = Back to Antares
run_missing = Luna cannot show the details:

# What a training is, what it learned from, how Luna tested it and whether it may control.
card_what = What it is
card_what_value = Antares learns what a stored kilowatt-hour will be worth later.
card_what_imitation = It learns from the best plans of past days (decision trees).
card_what_network = It learns from the best plans of past days (neural network).
card_what_clone = It learns from Luna's careful plans.
card_what_rl = It tries things out on past days and keeps what pays.
card_what_all = With this it decides when your battery charges and sells.
card_learned = What it learned from
card_window = It learned from your own home, from { $start } to { $end }.
card_days =
    { $days ->
        [one] 1 day was complete.
       *[other] { $days } days were complete.
    }
card_left_out =
    { $days ->
        [one] Luna left out 1 day with gaps.
       *[other] Luna left out { $days } days with gaps.
    }
card_tested = How Luna tested it
card_test = Luna tested it on days that it did not know, against the version before it.
card_speaks = It was no worse, so Luna uses it.
card_accepted = It was no worse, so Luna used it. There is a newer one now.
card_rejected = It was worse, so Luna does not use it.
card_control = May it control?
card_no_control = No. Luna does not use this training.
card_figures = Figures for experts (in English)
kind_value = Antares: learns the value of stored energy
kind_imitation = Copies the best possible plan (decision trees)
kind_network = Copies the best possible plan (neural network)
kind_clone = Copies Luna's careful plan
kind_rl = Learns by trial and error

# The picture of a day.
picture_title = Compare one day
picture_note = Price, battery power, battery level and feed-in: Luna's plan, Antares and the best possible plan.
picture_day = Day
picture_show = Show day
picture_unknown = Luna cannot show this day:
picture_none = There is no complete measured day yet.
picture_alt = { $day } with { $policies }: price, battery power, battery level and feed-in
picture_untrained = Without Antares: there was no training before this week.
column_policy = Strategy
column_cost = Cost
column_charged = Charged
column_discharged = Discharged
traded = { $kwh } at { $price } on average

# What the owner decides.
settings_title = Your choice
settings_note = Luna asks for your password and keeps a record of the change.
shadow_label = Method of learning
shadow_lightgbm = Antares: learns the value of stored energy
shadow_rl = Learns by trial and error
shadow_imitation = Copies the best possible plan (decision trees)
shadow_network = Copies the best possible plan (neural network)
shadow_clone = Copies Luna's careful plan
shadow_save = Use method
shadow_hint = Each method has to prove itself. A new one starts at the first step.
mode_label = Antares may
mode_save = Save choice
mode_sure = Antares may decide this once it has proven itself. I can turn it off at any time.
mode_unsure = Nothing has changed. Tick the box to let Antares decide.
withdraw_title = Turn Antares off
withdraw_lead = Luna's plan decides again within a minute. Antares stays on trial. Only you can turn it on again.
withdraw_sure = Yes, turn Antares off now.
withdraw_unsure = Nothing has changed. Tick the box to turn Antares off.
withdraw = Turn Antares off
withdrawn_already = You turned Antares off ({ $at }). To turn it on again, choose what it may do.
done = Saved.
gates_title = Latest decisions
gates_none = No decisions yet.
kind_judged = checked
kind_asked = requested
kind_withdrawn = turned off
kind_restored = turned on again
by_gatekeeper = by Luna
by_person = by { $name }
