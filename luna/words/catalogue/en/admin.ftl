### The pages of the installation, for those who run Luna.

title = Installation
camera_lab = Camera lab
bundle = Download a file for support (no secrets)
tab_status = Status
tab_jobs = Jobs
tab_settings = Settings
tab_audit = Activity
tab_answers = Questions
tab_logs = Logs
panel_services = Services
panel_queues = Waiting work
panel_volume = Data
panel_jobs = Jobs
panel_models = Forecast training
panel_audit = Who changed what
panel_answers = Questions and answers
panel_logs = Newest log lines
panel_settings = Settings
empty_services = Luna has found no service yet.
empty_queues = There are no queues yet.
empty_volume = The database has no tables yet.
empty_jobs = There are no such jobs yet.
empty_models = There is no training yet. It needs two weeks of measured data.
empty_audit = There is no activity yet.
empty_answers = There are no questions yet.
answers_lead = The newest come first, with their sources. The setting answer_retention decides how long Luna keeps them.
answer_refused = not found
answer_helpful = helped
answer_unhelpful = did not help
answer_no_model = no language model
answer_more = Details
answer_text = Answer
answer_sources = Sources
answer_chunks = Passages read
answer_tools = Tools
answer_tokens = Tokens read / written
answer_first_token = First word after
answer_notes = Notes
answer_feedback = Reader's comment
answer_prompt = Prompt, version { $version }
empty_logs = There are no log lines yet.
loading = loading …
as_of = as of { $time }
stale = Luna does not answer. This is the state of { $time }.
panel_error = Luna could not load this.
try_again = Try again
service = Service
state = State
instance = Version
since = Running since
needs = Checks and response times
is_ready = ready
is_missing = missing: { $what }
no_instance = not running
site_cycled = { $site }: last decided { $at }
site_blind = { $site }: no fresh meter values since { $at }
jobs_queued = Jobs waiting
jobs_running = Jobs running
jobs_dead = Jobs given up
oldest = Oldest open job
age_days =
    { $days ->
        [one] { $days } day, { $clock }
       *[other] { $days } days, { $clock }
    }
dead_tasks = Tasks that crashed their background service
database = Database
objects = Files
table = Table
rows = Rows (about)
size = Size
all_tables =
    { $count ->
        [one] { $count } table
       *[other] { $count } tables
    }
site = Home
model = Version
learned_until = Data until
trigger = Reason
took = Duration
verdict = Result
run_accepted = ✓ may be used
run_rejected = ✕ not used
trigger_hand = by hand
trigger_force = by hand, without a test
trigger_schedule = weekly
trigger_drift = the home has changed
filter = Show jobs
job_all = all
job_open = open
job_queued = waiting
job_running = running
job_done = done
job_failed = failed
job_dead = given up
job_cancelled = cancelled
attempts =
    { $count ->
        [one] 1 try
       *[other] { $count } tries
    }
cancel = Cancel
when = When
who = Who
what = What
means_key = key { $prefix }
means_local = by link
means_monitor = monitoring
means_nobody = not signed in
means_password = password
means_session = browser
means_token = program
ended = Result
where = From address
logs_lead = These lines come from this process and the ones it started. With containers, each service has its own log; Grafana shows all of them.
settings_lead = Marked settings differ from the default. Change a setting from the environment or .env there; it takes precedence.
settings_elsewhere = Marked settings differ from the default. In this installation you change them in .env and in the secrets folder.
source_environment = environment
source_secret_file = secret file
source_dotenv = { "." }env
source_page = set here
source_start = set at the start
source_default = default
secret_kept = saved, hidden
secret_none = not set
save = Save
to_default = Reset to default
by_environment = Set by { $variable }
default_is = Default: { $value }
tab_people = People
panel_people = People with access
empty_people = There are no accounts yet. On this computer everybody has full access; other computers have none.
first_account = Create the first account
all_sites = all homes
role_user = user
role_analyst = analyst
role_admin = administrator
signed_in = last sign-in { $time }
remove_person = Delete
add_person = Add a person
person_name = Name
person_password = Initial password
person_role = Role
person_sites = Homes
tab_messages = Messages
panel_messages = Who gets messages
messages_lead = A channel is a phone, a mailbox or another service. Luna keeps its address and does not show it again.
empty_messages = There is no channel yet, so nobody gets messages. Add one below.
channels_by_setting = Channels in { $variable } get messages and the test too. Change them there.
empty_channels = There is no channel here yet.
also_system = also faults in Luna
remove_channel = Delete
send_test = Send a test message
test_sent = sent
test_failed = not sent
add_channel = Add a channel
channel_name = Name
channel_address = Address
hint_channel_address = For e-mail: mailtos://user:password@example.org. For the Home Assistant app: notify.mobile_app_phone. Other services need their Apprise address.
event_plan = plan
event_device = devices
event_prices = cheap hours
event_saving = weekly savings
event_day = plan of the day
event_system = faults in Luna
tab_extras = Additions
panel_extras = Additions
extras_lead = Most homes do not need these. Luna installs one only after you agree.
extra_training = Training of neural networks
extra_lab = Camera lab
extra_pictures = Pictures as PNG or PDF
extra_mdns = Automatic search for devices
extra_qdrant = Separate search server (Qdrant)
extra_size = { $download } MB download, { $disk } MB disk space
extra_here = installed
extra_missing = not installed
extra_elsewhere = This installation cannot install it. Use a Luna image that includes it; the operations manual lists them.
extra_ask = Install …
extra_agree =
    { $minutes ->
        [one] Luna downloads { $download } MB, which takes about a minute. It needs { $disk } MB in { $folder }. You can uninstall it here.
       *[other] Luna downloads { $download } MB, which takes about { $minutes } minutes. It needs { $disk } MB in { $folder }. You can uninstall it here.
    }
extra_install = Agree and install
extra_remove = Uninstall
