### What the doctor finds. A command that helps follows the remedy; it is no part of the text.

topic_configuration = settings
topic_versions = versions
topic_permissions = access
topic_disk = disk
topic_clock = clock
topic_certificates = certificates
topic_database = database
topic_queues = work
topic_steering = fast control
topic_dependencies = servers
topic_freshness = data
severity_ok = ok
severity_warning = warning
severity_fault = fault
head_check = check
head_result = result
head_details = details
all_well = Everything works.
counted = Faults: { $faults }, warnings: { $warnings }. Lines with → say what to do.

finding_error = { $place }{ $sentence }
finding_settings-named-servers =
    { $count ->
        [one] 1 setting is changed. Luna uses the servers in the settings.
       *[other] { $count } settings are changed. Luna uses the servers in the settings.
    }
finding_settings-own-servers =
    { $count ->
        [one] 1 setting is changed. Luna runs its own servers in { $folder }.
       *[other] { $count } settings are changed. Luna runs its own servers in { $folder }.
    }
finding_one-server-only = Only one of database and queue has its own server. Other computers cannot reach the other one.
remedy_one-server-only = Set both LUNA_DATABASE_URL and LUNA_REDIS_URL, or neither.
finding_no-user = Other computers can reach Luna, but there is no user with a password.
remedy_no-user = Add a user, or set LUNA_ADMIN_PASSWORD_FILE.
finding_unreadable-rows = { $kind }: this release of Luna cannot read { $count }.
finding_site-uncontrolled = Luna cannot read the settings of { $site }, so it sends its devices no commands. They keep their last command.
remedy_site-uncontrolled = Set the devices by hand now. Then run the newer release again, or save the home again.
finding_site-unreadable = Luna cannot read the settings of { $site }. Until it can, the devices run on their own.
remedy_site-unreadable = Correct the settings, or turn control off.
kind_plans = plans
remedy_plans = Make new plans. Until then the homes do without.
kind_device-states = states of devices
remedy_device-states = Wait: the next decision replaces them. Set an override again.
kind_charging-sessions = charging sessions
remedy_charging-sessions = Save them again.
kind_what-ifs = what-ifs
remedy_what-ifs = Calculate them again.
kind_quarantine = rejected values
remedy_quarantine = Run the release that wrote them. Luna deletes nothing.
kind_agent-gates = tests of Antares
remedy_agent-gates = Wait: Luna tests again next night.
kind_agent-plans = plans of Antares
remedy_agent-plans = Run the release that wrote them. Luna deletes nothing.
kind_jobs = jobs
remedy_jobs = Start them again. Luna deletes finished ones by itself.
kind_edge-runs = runs of the camera lab
remedy_edge-runs = Run the release that wrote them. Luna deletes nothing.
kind_documents = documents
remedy_documents = Add them again. Until then no answer uses them.
kind_answers = answers
remedy_answers = Run the release that wrote them. Luna deletes nothing.

finding_luna-version = Luna { $luna }, Python { $python } on { $platform }
finding_database-version = PostgreSQL { $version }
finding_other-releases = Other releases of Luna also run: { $releases }. This is { $own }.
remedy_other-releases = Update all to one release and restart them.

finding_folder-unwritable = Luna cannot write to { $folder }.
remedy_folder-unwritable = Allow Luna to write there, or set LUNA_DATA_FOLDER to another folder.
finding_secrets-open = { $file } holds secrets, and everybody on this computer may read it.
remedy_secrets-open = Take this right away from the others.
finding_file-unreadable = Luna cannot read { $file }.
remedy_file-unreadable = Allow the account that runs Luna to read it.
finding_permissions-well = Luna can write its folders, and only Luna can read the secrets.

finding_disk-well = { $free } GiB of { $total } GiB are free on the disk of { $folder }.
finding_disk-low = { $free } GiB of { $total } GiB are free on the disk of { $folder }.
remedy_disk-low = Free some space, or keep data for a shorter time: LUNA_FORECAST_RETENTION, LUNA_PLAN_RETENTION, LUNA_READING_RETENTION.
finding_disk-full = { $free } GiB of { $total } GiB are free on the disk of { $folder }.
remedy_disk-full = Free some space now. The database stops on a full disk.

finding_clock-unset = This computer does not set its clock automatically.
remedy_clock-unset = Turn on automatic time, such as systemd-timesyncd or chrony. Plans follow the quarter-hour.
finding_clock-set = This computer sets its clock automatically.
finding_clocks-near = The clocks of Luna and the database differ by { $seconds } s.
finding_clocks-apart = The clocks of Luna and the database differ by { $seconds } s.
remedy_clocks-apart = Turn on automatic time on both computers, such as systemd-timesyncd or chrony.

finding_certificate-invalid = The certificate of { $server } is not valid: { $why }
remedy_certificate-invalid = Renew it, or trust its issuer on this computer (SSL_CERT_FILE).
finding_certificate-away = { $server } does not answer: { $why }
remedy_certificate-away = Check that it runs and can be reached.
finding_certificate-valid = The certificate of { $server } is valid until { $day }.
finding_certificate-ends = The certificate of { $server } is valid until { $day }.
remedy_certificate-ends = Renew it. If a program renews it automatically, check its log.

finding_schema-current = The database has the version that Luna needs ({ $current }).
finding_schema-newer = The database has version { $current }, but this release of Luna knows only versions up to { $head }.
remedy_schema-newer = Run the newer release again, or restore a backup.
finding_schema-older = The database has version { $current }. Luna needs version { $head }.
remedy_schema-older = Update the database.
finding_schema-missing = The database has no tables of Luna. Luna needs version { $head }.
remedy_schema-missing = Update the database.

finding_jobs-open = Jobs: { $queued } wait, { $running } run. The oldest is { $seconds } s old.
finding_jobs-late = Jobs: { $queued } wait, { $running } run. The oldest is { $seconds } s old.
remedy_jobs-late = See what they wait for.
finding_jobs-dead =
    { $count ->
        [one] 1 job stopped unexpectedly.
       *[other] { $count } jobs stopped unexpectedly.
    }
remedy_jobs-dead = See why, then start it again.
finding_beat-missing = The timer (beat) does not run, so Luna plans nothing new.
remedy_beat-missing = Start Luna or its containers.
finding_beat-late = The timer (beat) last ran { $seconds } s ago, so Luna plans nothing new.
remedy_beat-late = Start Luna or its containers.
finding_tasks-dead =
    { $count ->
        [one] 1 task crashed its background service each time: { $tasks }
       *[other] { $count } tasks crashed their background service each time: { $tasks }
    }
remedy_tasks-dead = See the log of the background service at that time.
finding_workers =
    { $count ->
        [one] 1 background service (worker) runs and takes all work.
       *[other] { $count } background services (workers) run and take all work.
    }
finding_no-worker = No background service (worker) runs.
remedy_no-worker = Start Luna or its containers.
finding_queues-unserved = No background service (worker) takes work from { $queues }.
remedy_queues-unserved = Start Luna or its containers.
finding_backlog = { $count } tasks wait for { $queue }.
remedy_backlog = Run more background services: raise LUNA_WORKER_PROCESSES, or add a replica.

finding_steering-late = Fast control (steering) of { $sites } last ran { $seconds } s ago.
remedy_steering-late = Start Luna or its containers.
finding_steering-blind = Fast control (steering) has no new meter values of { $sites }.
remedy_steering-blind = Check the meters and the recorder's log. Until then the devices are in their safe state.
finding_steering-works = Fast control (steering) works for { $sites }.

finding_worker-lacks = Background service { $worker }, { $check }: { $fault }
finding_dependency-well = It answers: { $check }.
finding_dependency-away = { $fault }

finding_no-home = No home is set up yet.
finding_home-measured = { $site }: measured until { $at }.
finding_home-unmeasured = { $site }: no measurements yet.
finding_forecast-missing = { $site }: no forecast yet.
remedy_forecast-missing = Check above that all services of Luna run. If they do, see the jobs and the log.
finding_forecast-old = { $site }: the last forecast is from { $at }.
remedy_forecast-old = Check above that all services of Luna run. If they do, see the jobs and the log.
finding_plan-missing = { $site }: no plan yet.
remedy_plan-missing = Check above that all services of Luna run. If they do, see the jobs and the log.
finding_plan-old = { $site }: the last plan is from { $at }.
remedy_plan-old = Check above that all services of Luna run. If they do, see the jobs and the log.
finding_prices-known = { $market }: prices are known until { $at }.
finding_prices-short = { $market }: prices are known only until { $at }.
remedy_prices-short = Fetch or load new prices.
finding_prices-missing = { $market }: no prices in { $currency }.
remedy_prices-missing = Fetch or load prices.
