### Where the learning assistant stands on its way to control.

# Why a mode of control is ready, or not.
reason_not_judged = Luna has not checked Antares yet.
reason_no_artefact = Antares has not learned yet.
reason_replay_days = Luna has tested Antares on { $days } of { $needed } past days.
reason_shadow_days = Antares has been on trial for { $days } of { $needed } days.
reason_behind =
    { $days ->
        [one] Based on { $days } day, Antares may cost more than Luna's plan: over 1% of the possible savings.
       *[other] Based on { $days } days, Antares may cost more than Luna's plan: over 1% of the possible savings.
    }
reason_no_dearer =
    { $days ->
        [one] Based on { $days } day, Antares costs no more than Luna's plan.
       *[other] Based on { $days } days, Antares costs no more than Luna's plan.
    }
reason_cheaper =
    { $days ->
        [one] Based on { $days } day, Antares is proven cheaper than Luna's plan.
       *[other] Based on { $days } days, Antares is proven cheaper than Luna's plan.
    }
reason_losing_streak = Antares has cost clearly more than Luna's plan in the last days.
reason_interventions = Luna's safety check had to correct Antares too often.
reason_new_evidence =
    { $days ->
        [one] Since it was turned off, Antares would have cost no more than Luna's plan ({ $days } day).
       *[other] Since it was turned off, Antares would have cost no more than Luna's plan ({ $days } days).
    }
reason_always = Antares controls no device.
reason_by_owner = You decided this.

# What has to happen next.
next_train = Train Antares.
next_replay =
    { $missing ->
        [one] Luna tests Antares on { $missing } more past day.
       *[other] Luna tests Antares on { $missing } more past days.
    }
next_shadow =
    { $missing ->
        [one] Antares stays on trial for { $missing } more day.
       *[other] Antares stays on trial for { $missing } more days.
    }
next_judge = Luna checks Antares tonight.
next_improve = Antares has to improve: it may still cost more than Luna's plan.
next_ask = { $mode } is ready. You can turn it on.
next_prove_again =
    { $missing ->
        [one] { $mode } is turned off. Luna turns it on after { $missing } good day on trial, or you do.
       *[other] { $mode } is turned off. Luna turns it on after { $missing } good days on trial, or you do.
    }
next_restore = You turned this off by hand: { $mode }. You can turn it on again.
next_none = Antares continues to decide where its plan is safe and cheaper.

# What Antares may do.
mode_shadow = Trial
mode_export_only = Selling
mode_full_control = Full control

# Why Antares' plan is followed, or Luna's.
verdict_agent_cheaper = Antares' plan is safe and probably costs less.
verdict_mode_is_shadow = Antares is only on trial.
verdict_mode_not_offered = Antares has not proven itself yet.
verdict_mode_withdrawn = Antares is turned off.
verdict_not_cheaper = Antares' plan probably does not cost less.
verdict_not_safe = Antares' plan breaks a limit. Luna's plan keeps it.
verdict_no_artefact = Antares has not learned from this home yet.
verdict_plan_failed = Antares made no plan.
verdict_no_verdict = Luna has not checked a plan of Antares yet.
