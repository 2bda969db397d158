### Wat een apparaat doet zoals het laatst is gelezen, en wat er daarna gebeurt.

doing_unknown = iets waar Luna geen woord voor heeft
never_read = { $device }: Luna heeft nog niet gelezen wat het doet.
does_commanded = { $device } doet wat Luna opdroeg: { $doing }. Gelezen om { $read }, zo sinds { $since }.
does_other = { $device } doet iets wat Luna niet opdroeg: { $doing }. Gelezen om { $read }, zo sinds { $since }.
silent = { $device } antwoordt niet sinds { $at }.
not_released = Dat { $device } is teruggegeven, is niet bevestigd: de laatste opdracht geldt daar nog.
released_when_it_answers = Het wordt teruggegeven zodra het antwoordt.
released_when_luna_runs = Het wordt teruggegeven zodra Luna draait en het antwoordt.
left_to_owner = Luna heeft het een dag lang geprobeerd en probeert het niet meer.
stop_at_device = Zet { $device } op het apparaat zelf op zijn eigen bedrijf om het meteen te beëindigen: op het scherm of in de app van de maker.
unattended = Niets van Luna stuurt de apparaten nu: elk houdt zijn laatste opdracht aan of valt uit zichzelf terug. Luna gaat verder zodra het draait.
paused = { $device } wordt sinds { $at } met rust gelaten, zoals { $by } vroeg, tot je het hervat.
conflict =
    { $count ->
        [one] { $device }: { $doing } is om { $last } ingesteld, niet door Luna.
       *[other] { $device }: { $doing } is om { $last } ingesteld, niet door Luna; sinds { $first } zijn de instellingen { $count } keer veranderd.
    }
conflict_causes = Meestal is dat de app van de maker met een eigen schema, of een ander programma dat energie stuurt. Zet dat uit, of pauzeer { $device } hier: Luna geeft het dan terug en laat het met rust.
driven_by = De apparaten worden sinds { $at } gestuurd door { $name }.
