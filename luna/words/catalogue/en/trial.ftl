### What came of moving a battery by a little: what it was to do, and what the readings say it did.

trial_hold_right = Stood still: right.
trial_hold_moved = Went on with { $power } W for { $seconds } s where it should have stood still: somebody else commands it, or it is another product.
trial_hold_unknown = Whether it stood still is unknown.
trial_charge_right = Charged with { $power } W: right.
trial_charge_turned_round = Discharged with { $power } W where it should have charged: the sign is turned round.
trial_charge_did_not_move = Did not charge within { $seconds } s.
trial_charge_too_much = Charged with { $power } W where 200 W were asked: the scale is wrong, unless the sun gave the rest.
trial_charge_not_allowed = Charging was not tried: the battery is full, or its limits do not allow it.
trial_charge_nothing_to_do = Did not charge: it may store surplus alone, and there was none.
trial_charge_unknown = Whether it charged is unknown.
trial_export_right = Discharged with { $power } W: right.
trial_export_turned_round = Charged with { $power } W where it should have discharged: the sign is turned round.
trial_export_did_not_move = Did not discharge within { $seconds } s.
trial_export_too_much = Discharged with { $power } W where 200 W were asked: the scale is wrong, unless the house took the rest.
trial_export_not_allowed = Discharging was not tried: the battery is empty, or its limits do not allow it.
trial_export_nothing_to_do = Did not discharge: it may serve the house alone, which took nothing from it.
trial_export_unknown = Whether it discharged is unknown.
trial_ended = It is back in its own self-consumption.
