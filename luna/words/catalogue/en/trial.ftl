### Results of a short test of the battery control: what it should do, and what it did.

trial_hold_right = Pause works.
trial_hold_moved = Pause failed: the battery ran at { $power } W for { $seconds } s. Check that no other system controls it and that the right model is chosen.
trial_hold_unknown = Pause is not tested: the battery sent no usable values.
trial_charge_right = Charging works: { $power } W.
trial_charge_turned_round = Charging failed: the battery discharged at { $power } W. Swap plus and minus.
trial_charge_did_not_move = Charging failed: nothing happened for { $seconds } s.
trial_charge_too_much = Charging took { $power } W instead of 200 W. Check the scale, unless solar added the rest.
trial_charge_not_allowed = Charging is not tested: the battery is full, or its limits forbid it.
trial_charge_nothing_to_do = Charging is not tested: the battery may only store surplus, and there was none.
trial_charge_unknown = Charging is not tested: the battery sent no usable values.
trial_export_right = Discharging works: { $power } W.
trial_export_turned_round = Discharging failed: the battery charged at { $power } W. Swap plus and minus.
trial_export_did_not_move = Discharging failed: nothing happened for { $seconds } s.
trial_export_too_much = Discharging gave { $power } W instead of 200 W. Check the scale, unless the house used the rest.
trial_export_not_allowed = Discharging is not tested: the battery is empty, or its limits forbid it.
trial_export_nothing_to_do = Discharging is not tested: the battery may only power the house, which needed nothing.
trial_export_unknown = Discharging is not tested: the battery sent no usable values.
trial_ended = The battery covers your own use again.
