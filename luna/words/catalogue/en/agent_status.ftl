### Where the learning agent stands on the road to control.

# Why a mode of control is offered, or not.
reason_not_judged = The gatekeeper has not judged it yet.
reason_no_artefact = No agent has been trained yet.
reason_replay_days = { $days } of { $needed } recorded days have been replayed.
reason_shadow_days = The agent has planned beside the planner on { $days } of { $needed } days.
reason_behind =
    { $days ->
        [one] On { $days } day the agent may be dearer than the planner by more than 1 % of what could be saved.
       *[other] On { $days } days the agent may be dearer than the planner by more than 1 % of what could be saved.
    }
reason_no_dearer =
    { $days ->
        [one] On { $days } day the agent was no dearer than the planner.
       *[other] On { $days } days the agent was no dearer than the planner.
    }
reason_cheaper =
    { $days ->
        [one] On { $days } day the agent was surely cheaper than the planner.
       *[other] On { $days } days the agent was surely cheaper than the planner.
    }
reason_losing_streak = Lately the agent lost more against the planner than chance explains.
reason_interventions = The safety layer had to correct the agent too often.
reason_new_evidence =
    { $days ->
        [one] On { $days } day since it was withdrawn the agent was no dearer than the planner.
       *[other] On { $days } days since it was withdrawn the agent was no dearer than the planner.
    }
reason_always = It reaches no device.
reason_by_owner = It was decided by hand.

# What has to happen next.
next_train = The agent has to be trained.
next_replay =
    { $missing ->
        [one] { $missing } more recorded day has to be replayed.
       *[other] { $missing } more recorded days have to be replayed.
    }
next_shadow =
    { $missing ->
        [one] The agent has to plan beside the planner on { $missing } more day.
       *[other] The agent has to plan beside the planner on { $missing } more days.
    }
next_judge = The gatekeeper judges in the next night.
next_improve = The agent has to become surer: it may still be dearer than the planner.
next_ask = { $mode } is offered: you may ask for it.
next_prove_again =
    { $missing ->
        [one] { $mode } was withdrawn. { $missing } more day in shadow without loss brings it back, or you do.
       *[other] { $mode } was withdrawn. { $missing } more days in shadow without loss bring it back, or you do.
    }
next_restore = { $mode } was withdrawn by hand; restore it if you want it back.
next_none = None: the agent decides where its plan is safe and cheaper.

# What the agent may do.
mode_shadow = Shadow
mode_export_only = Selling
mode_full_control = Full control

# Why the agent's plan is followed, or the planner's.
verdict_agent_cheaper = The agent's plan is safe and expected to cost less.
verdict_mode_is_shadow = The agent only plans beside the planner.
verdict_mode_not_offered = The evidence for what was asked for is not there yet.
verdict_mode_withdrawn = Control was withdrawn from the agent.
verdict_not_cheaper = The agent's plan is not expected to cost less.
verdict_not_safe = The agent's plan misses a limit that the planner's keeps.
verdict_no_artefact = No agent was trained that could plan for this site.
verdict_plan_failed = The agent made no plan.
verdict_no_verdict = No plan of the agent has been judged yet for what it may do now.
