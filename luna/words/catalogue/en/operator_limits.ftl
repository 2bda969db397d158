### Limits by the grid operator: what holds, how it came, and what Luna did.
### Devices are named as in limited_… of each kind; { $power } is a power with its unit.

limited_all = your devices
until = until { $at }
until_released = until further notice

# What holds now.
hold_devices = The grid operator limits { $devices } to { $power } { $until }.
own_hold_devices = You limit { $devices } to { $power } { $until }.
hold_connection = The grid operator limits what your home draws to { $power } { $until }.
own_hold_connection = You limit what your home draws to { $power } { $until }.
hold_export = The grid operator limits what you feed in to { $power } { $until }.
own_hold_export = You limit what you feed in to { $power } { $until }.

# What is over.
over_devices = The grid operator limited { $devices } to { $power } from { $start } to { $end }.
own_over_devices = You limited { $devices } to { $power } from { $start } to { $end }.
over_connection = The grid operator limited what your home draws to { $power } from { $start } to { $end }.
own_over_connection = You limited what your home draws to { $power } from { $start } to { $end }.
over_export = The grid operator limited what you feed in to { $power } from { $start } to { $end }.
own_over_export = You limited what you feed in to { $power } from { $start } to { $end }.

# How it came, after a since or a through.
since = Since { $start }, through { $source }.
source_api = another program
source_home_assistant = Home Assistant
source_mqtt = MQTT
source_contact = the operator's relay
source_box = the operator's control box
source_openadr = OpenADR
source_ieee2030 = IEEE 2030.5
source_owner = your own command

# What it bounds, in a table.
most_devices = { $power } for { $devices }
most_connection = { $power } for your home
most_export = { $power } for feeding in

# What was measured and done.
done_import = At most { $power } came from the grid.
done_export = At most { $power } went into the grid.
done_device = { $device }: { $allowed } instead of { $planned }.
done_less = { $energy } less than planned.
done_none = Luna had to limit no device.
