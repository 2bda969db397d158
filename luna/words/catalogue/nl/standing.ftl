### Wat een apparaat doet volgens de laatste meting, en wat er volgt.

doing_unknown = een onbekende modus
never_read = { $device } heeft nog geen modus gemeld.
does_commanded = { $device } volgt de opdracht van Luna: { $doing }. Laatst gelezen { $read }, onveranderd sinds { $since }.
does_other = { $device } werkt in een modus die Luna niet heeft ingesteld: { $doing }. Laatst gelezen { $read }, onveranderd sinds { $since }.
keeps_phases = { $device }: Luna kan de fasen van de laadpaal niet instellen. De bedrading beslist. Vul dat aantal in bij de instellingen van je huis.
silent = { $device } reageert niet sinds { $at }.
not_released = { $device } heeft het einde van de besturing niet bevestigd. De laatste opdracht geldt daar nog.
released_when_it_answers = Luna beëindigt de besturing daar zodra het reageert.
released_when_luna_runs = Luna beëindigt de besturing daar zodra Luna draait en het apparaat reageert.
left_to_owner = Luna heeft het een dag lang geprobeerd en probeert het niet meer.
stop_at_device = Wil je het meteen beëindigen? Zet { $device } op het scherm of in de app van de fabrikant in de normale stand.
unattended = De besturing van Luna draait nu niet. Elk apparaat houdt zijn laatste opdracht of gaat terug naar de normale stand. Luna gaat verder zodra de besturing weer draait.
paused = { $device } is gepauzeerd sinds { $at } (door { $by }). Luna laat het met rust tot je de pauze beëindigt.
conflict =
    { $count ->
        [one] { $device }: { $doing } is om { $last } ingesteld, niet door Luna.
       *[other] { $device }: { $doing } is om { $last } ingesteld, niet door Luna. Sinds { $first } zijn de instellingen { $count } keer veranderd.
    }
conflict_causes = Meestal is het een schema in de app van de fabrikant of een andere energiemanager. Zet dat uit, of pauzeer { $device } hier. Luna laat het dan met rust.
driven_by = { $name } stuurt de apparaten sinds { $at }.
