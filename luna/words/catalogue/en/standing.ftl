### What a device does by its last read-back, and what happens next.

doing_unknown = something that Luna has no word for
never_read = { $device }: Luna has not read what it does.
does_commanded = { $device } does what Luna commanded: { $doing }. Read at { $read }, so since { $since }.
does_other = { $device } does something that Luna did not command: { $doing }. Read at { $read }, so since { $since }.
silent = { $device } has not answered since { $at }.
not_released = { $device } is not confirmed as handed back: it keeps its last command.
released_when_it_answers = It is handed back as soon as it answers.
released_when_luna_runs = It is handed back as soon as Luna runs and it answers.
left_to_owner = Luna tried for a day to hand it back and tries no more.
stop_at_device = To end it at once, set { $device } to its own mode at the device itself: at its display or in its maker's app.
unattended = Nothing of Luna's drives the devices now: each keeps its last command, or falls back by itself. Luna goes on as soon as it runs.
paused = { $device } is left alone since { $at }, as { $by } asked, until you resume it.
conflict =
    { $count ->
        [one] { $device }: { $doing } was set at { $last }, not by Luna.
       *[other] { $device }: { $doing } was set at { $last }, not by Luna; since { $first } its settings were changed { $count } times.
    }
conflict_causes = Mostly that is the maker's app with a schedule of its own, or another energy manager. Switch that off, or pause { $device } here: Luna then hands it back and leaves it alone.
driven_by = Its devices are driven by { $name } since { $at }.
