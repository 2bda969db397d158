### What is said of dehumidifiers.

kind_dehumidifier = Dehumidifier
prefix_dehumidifier = dehumidifier
name_dehumidifier = Dehumidifier
series_dehumidifier_kwh = Dehumidifier
role_dehumidifier_consumption = Dehumidifier

# Of fields, and of defaults that cost money: documentation and command line, in English alone.
field_dehumidifier_consumption = sensors of dehumidifiers' electricity
field_dehumidifiers = by name, or one after the other

# What a plan could not hold: what was wanted, and what is missing of it.
wanted_air_most = dehumidifier { $name }: at most { $wanted } % humidity, missed most at { $worst }
missing_air_most = { $percent_1 } % too humid
wanted_air_least = dehumidifier { $name }: at least { $wanted } % humidity, missed most at { $worst }
missing_air_least = { $percent_1 } % too dry

# What a plan rests on.
note_air_assumed = How humid the air of { $dehumidifiers } is, is not known: the middle of its band is assumed.

# Why a device runs or waits.
reason_air_dries_1 = Runs at { $buy } and brings the air to { $humidity }; { $dampest } is the most.
reason_air_dries_2 = Runs and brings the air to { $humidity }; { $dampest } is the most.
short_air_dries_1 = Runs at { $buy }: air at { $humidity }
short_air_dries_2 = Runs: air at { $humidity }
short_air_dries_3 = Dries the air
reason_air_waits_1 = Waits with the air at { $humidity }: a kWh costs { $buy } now, { $price } from { $time } on.
short_air_waits_1 = Waits for { $time }: { $price } instead of { $buy }
short_air_waits_2 = Waits for a lower price
reason_air_later_1 = Rests with the air at { $humidity } and runs again from { $time } on.
short_air_later_1 = Runs from { $time } on; air at { $humidity }
short_air_later_2 = Runs later
reason_air_dry_1 = Rests with the air at { $humidity }: another slot would bring it below { $driest }.
short_air_dry_1 = Rests: air at { $humidity }
short_air_dry_2 = Rests: dry enough
reason_air_done_1 = Is off to the end of the plan; the air is at { $humidity }, { $dampest } is the most.
short_air_done_1 = Off: air at { $humidity }
short_air_done_2 = Off
