### Wat de diagnose vindt. Een opdracht die helpt, volgt op de raad; hij hoort niet bij de tekst.

topic_configuration = instellingen
topic_versions = versies
topic_permissions = toegang
topic_disk = schijf
topic_clock = klok
topic_certificates = certificaten
topic_database = database
topic_queues = werk
topic_steering = snelle besturing
topic_dependencies = servers
topic_freshness = gegevens
severity_ok = goed
severity_warning = waarschuwing
severity_fault = fout
head_check = controle
head_result = resultaat
head_details = details
all_well = Alles werkt.
counted = Fouten: { $faults }, waarschuwingen: { $warnings }. Regels met → zeggen wat je doet.

finding_error = { $place }{ $sentence }
finding_settings-named-servers =
    { $count ->
        [one] 1 instelling is gewijzigd. Luna gebruikt de servers uit de instellingen.
       *[other] { $count } instellingen zijn gewijzigd. Luna gebruikt de servers uit de instellingen.
    }
finding_settings-own-servers =
    { $count ->
        [one] 1 instelling is gewijzigd. Luna draait eigen servers in { $folder }.
       *[other] { $count } instellingen zijn gewijzigd. Luna draait eigen servers in { $folder }.
    }
finding_one-server-only = Alleen de database of alleen de wachtrij heeft een eigen server. Andere computers bereiken het andere deel niet.
remedy_one-server-only = Stel LUNA_DATABASE_URL en LUNA_REDIS_URL allebei in, of geen van beide.
finding_no-user = Andere computers bereiken Luna, maar geen gebruiker heeft een wachtwoord.
remedy_no-user = Voeg een gebruiker toe, of stel LUNA_ADMIN_PASSWORD_FILE in.
finding_unreadable-rows = { $kind }: deze versie van Luna kan er { $count } niet lezen.
finding_site-uncontrolled = Luna kan de instellingen van { $site } niet lezen en stuurt de apparaten geen opdrachten. Ze houden hun laatste opdracht.
remedy_site-uncontrolled = Stel de apparaten nu met de hand in. Start dan de nieuwere versie weer, of sla het huis opnieuw op.
finding_site-unreadable = Luna kan de instellingen van { $site } niet lezen. Zo lang werken de apparaten vanzelf.
remedy_site-unreadable = Verbeter de instellingen, of zet de besturing uit.
kind_plans = plannen
remedy_plans = Maak nieuwe plannen. Tot dan zijn er geen.
kind_device-states = toestanden van apparaten
remedy_device-states = Wacht: het volgende besluit vervangt ze. Stel je keuze opnieuw in.
kind_charging-sessions = laadbeurten
remedy_charging-sessions = Sla ze opnieuw op.
kind_what-ifs = wat-als-berekeningen
remedy_what-ifs = Bereken ze opnieuw.
kind_quarantine = geweigerde waarden
remedy_quarantine = Start de versie die ze schreef. Luna verwijdert niets.
kind_agent-gates = tests van Antares
remedy_agent-gates = Wacht: Luna test volgende nacht opnieuw.
kind_agent-plans = plannen van Antares
remedy_agent-plans = Start de versie die ze schreef. Luna verwijdert niets.
kind_jobs = taken
remedy_jobs = Start ze opnieuw. Klare taken verwijdert Luna vanzelf.
kind_edge-runs = runs van het cameralab
remedy_edge-runs = Start de versie die ze schreef. Luna verwijdert niets.
kind_documents = documenten
remedy_documents = Voeg ze opnieuw toe. Tot dan gebruikt geen antwoord ze.
kind_answers = antwoorden
remedy_answers = Start de versie die ze schreef. Luna verwijdert niets.

finding_luna-version = Luna { $luna }, Python { $python } op { $platform }
finding_database-version = PostgreSQL { $version }
finding_other-releases = Er draaien ook andere versies van Luna: { $releases }. Dit is { $own }.
remedy_other-releases = Breng alles op dezelfde versie en start opnieuw.

finding_folder-unwritable = Luna mag niet schrijven in { $folder }.
remedy_folder-unwritable = Laat Luna daar schrijven, of stel LUNA_DATA_FOLDER in op een andere map.
finding_secrets-open = In { $file } staan geheimen, en iedereen op deze computer mag ze lezen.
remedy_secrets-open = Neem de anderen dat recht af.
finding_file-unreadable = Luna mag { $file } niet lezen.
remedy_file-unreadable = Geef dat recht aan het account waaronder Luna draait.
finding_permissions-well = Luna kan in de eigen mappen schrijven, en alleen Luna kan de geheimen lezen.

finding_disk-well = Op de schijf van { $folder } is { $free } van { $total } GiB vrij.
finding_disk-low = Op de schijf van { $folder } is { $free } van { $total } GiB vrij.
remedy_disk-low = Maak ruimte vrij, of bewaar gegevens korter: LUNA_FORECAST_RETENTION, LUNA_PLAN_RETENTION, LUNA_READING_RETENTION.
finding_disk-full = Op de schijf van { $folder } is { $free } van { $total } GiB vrij.
remedy_disk-full = Maak nu ruimte vrij. Op een volle schijf stopt de database.

finding_clock-unset = Deze computer zet zijn klok niet vanzelf gelijk.
remedy_clock-unset = Zet automatische tijd aan, zoals systemd-timesyncd of chrony. Plannen volgen het kwartier.
finding_clock-set = Deze computer zet zijn klok vanzelf gelijk.
finding_clocks-near = De klokken van Luna en de database schelen { $seconds } s.
finding_clocks-apart = De klokken van Luna en de database schelen { $seconds } s.
remedy_clocks-apart = Zet op beide computers automatische tijd aan, zoals systemd-timesyncd of chrony.

finding_certificate-invalid = Het certificaat van { $server } is niet geldig: { $why }
remedy_certificate-invalid = Vernieuw het, of vertrouw de uitgever op deze computer (SSL_CERT_FILE).
finding_certificate-away = { $server } antwoordt niet: { $why }
remedy_certificate-away = Kijk of het draait en bereikbaar is.
finding_certificate-valid = Het certificaat van { $server } geldt tot { $day }.
finding_certificate-ends = Het certificaat van { $server } geldt tot { $day }.
remedy_certificate-ends = Vernieuw het. Doet een programma dat vanzelf, kijk dan in zijn logboek.

finding_schema-current = De database heeft de versie die Luna nodig heeft ({ $current }).
finding_schema-newer = De database heeft versie { $current }, maar deze Luna kent alleen versies tot { $head }.
remedy_schema-newer = Start de nieuwere Luna weer, of zet een back-up terug.
finding_schema-older = De database heeft versie { $current }. Luna heeft versie { $head } nodig.
remedy_schema-older = Werk de database bij.
finding_schema-missing = In de database ontbreken de tabellen van Luna. Luna heeft versie { $head } nodig.
remedy_schema-missing = Werk de database bij.

finding_jobs-open = Taken: { $queued } wachten, { $running } lopen. De oudste is { $seconds } s oud.
finding_jobs-late = Taken: { $queued } wachten, { $running } lopen. De oudste is { $seconds } s oud.
remedy_jobs-late = Kijk waarop ze wachten.
finding_jobs-dead =
    { $count ->
        [one] 1 taak stopte onverwacht.
       *[other] { $count } taken stopten onverwacht.
    }
remedy_jobs-dead = Kijk waarom, en start hem opnieuw.
finding_beat-missing = De klok voor taken (beat) draait niet. Luna plant niets nieuws.
remedy_beat-missing = Start Luna of de containers.
finding_beat-late = De klok voor taken (beat) liep { $seconds } s geleden het laatst. Luna plant niets nieuws.
remedy_beat-late = Start Luna of de containers.
finding_tasks-dead =
    { $count ->
        [one] Op 1 taak liep de achtergronddienst telkens vast: { $tasks }
       *[other] Op { $count } taken liep de achtergronddienst telkens vast: { $tasks }
    }
remedy_tasks-dead = Kijk in het logboek van de achtergronddienst op dat moment.
finding_workers =
    { $count ->
        [one] 1 achtergronddienst (worker) draait en neemt al het werk aan.
       *[other] { $count } achtergronddiensten (workers) draaien en nemen al het werk aan.
    }
finding_no-worker = Er draait geen achtergronddienst (worker).
remedy_no-worker = Start Luna of de containers.
finding_queues-unserved = Geen achtergronddienst (worker) neemt werk aan van { $queues }.
remedy_queues-unserved = Start Luna of de containers.
finding_backlog = { $count } taken wachten op { $queue }.
remedy_backlog = Draai meer achtergronddiensten: verhoog LUNA_WORKER_PROCESSES, of start nog een container.

finding_steering-late = De snelle besturing (steering) van { $sites } liep { $seconds } s geleden het laatst.
remedy_steering-late = Start Luna of de containers.
finding_steering-blind = De snelle besturing (steering) heeft geen nieuwe meterwaarden van { $sites }.
remedy_steering-blind = Controleer de meters en het logboek van de dienst recorder. Tot dan zijn de apparaten in hun veilige stand.
finding_steering-works = De snelle besturing (steering) werkt voor { $sites }.

finding_worker-lacks = Achtergronddienst { $worker }, { $check }: { $fault }
finding_dependency-well = Antwoordt: { $check }.
finding_dependency-away = { $fault }

finding_no-home = Er is nog geen huis ingesteld.
finding_home-measured = { $site }: gemeten tot { $at }.
finding_home-unmeasured = { $site }: nog geen meetwaarden.
finding_forecast-missing = { $site }: nog geen prognose.
remedy_forecast-missing = Kijk hierboven of alle diensten van Luna draaien. Zo ja, kijk dan in de taken en het logboek.
finding_forecast-old = { $site }: de laatste prognose is van { $at }.
remedy_forecast-old = Kijk hierboven of alle diensten van Luna draaien. Zo ja, kijk dan in de taken en het logboek.
finding_plan-missing = { $site }: nog geen plan.
remedy_plan-missing = Kijk hierboven of alle diensten van Luna draaien. Zo ja, kijk dan in de taken en het logboek.
finding_plan-old = { $site }: het laatste plan is van { $at }.
remedy_plan-old = Kijk hierboven of alle diensten van Luna draaien. Zo ja, kijk dan in de taken en het logboek.
finding_prices-known = { $market }: prijzen zijn bekend tot { $at }.
finding_prices-short = { $market }: prijzen zijn maar bekend tot { $at }.
remedy_prices-short = Haal of laad nieuwe prijzen.
finding_prices-missing = { $market }: geen prijzen in { $currency }.
remedy_prices-missing = Haal of laad prijzen.
