### What a device does by its last reading, and what happens next.

doing_unknown = an unknown mode
never_read = { $device } has not reported its mode yet.
does_commanded = { $device } follows Luna's command: { $doing }. Last reading { $read }, unchanged since { $since }.
does_other = { $device } runs in a mode that Luna did not set: { $doing }. Last reading { $read }, unchanged since { $since }.
keeps_phases = { $device }: Luna cannot set the charger's phases. Its wiring decides. Enter that number in the settings of your home.
silent = { $device } has not responded since { $at }.
not_released = { $device } has not confirmed that Luna's control has ended. It keeps the last command.
released_when_it_answers = Luna ends control there as soon as it responds.
released_when_luna_runs = Luna ends control there as soon as Luna runs and the device responds.
left_to_owner = Luna tried for a day and has stopped trying.
stop_at_device = To end it at once, set { $device } to its normal mode on its display or in the maker's app.
unattended = Luna's control is not running. Each device keeps its last command or returns to its normal mode. Luna goes on as soon as it runs again.
paused = { $device } is paused since { $at } (by { $by }). Luna leaves it alone until you resume it.
conflict =
    { $count ->
        [one] { $device }: { $doing } was set at { $last }, not by Luna.
       *[other] { $device }: { $doing } was set at { $last }, not by Luna. Its settings have changed { $count } times since { $first }.
    }
conflict_causes = The usual cause is a schedule in the maker's app or another energy manager. Switch that off, or pause { $device } here. Luna then leaves it alone.
driven_by = { $name } has controlled the devices since { $at }.
