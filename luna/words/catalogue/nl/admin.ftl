### The pages of the installation, for those who run Luna.

title = Installatie
camera_lab = Cameralab
bundle = Bestand voor ondersteuning downloaden (zonder geheimen)
tab_status = Status
tab_jobs = Taken
tab_settings = Instellingen
tab_audit = Activiteit
tab_answers = Vragen
tab_logs = Logboek
panel_services = Diensten
panel_queues = Wachtend werk
panel_volume = Gegevens
panel_jobs = Taken
panel_models = Training van voorspellingen
panel_audit = Wie wat heeft veranderd
panel_answers = Vragen en antwoorden
panel_logs = Nieuwste logregels
panel_settings = Instellingen
empty_services = Luna heeft nog geen dienst gevonden.
empty_queues = Er zijn nog geen wachtrijen.
empty_volume = De database heeft nog geen tabellen.
empty_jobs = Er zijn nog geen zulke taken.
empty_models = Er is nog geen training. Daarvoor zijn twee weken met meetwaarden nodig.
empty_audit = Er is nog geen activiteit.
empty_answers = Er zijn nog geen vragen.
answers_lead = De nieuwste staan bovenaan, met hun bronnen. De instelling answer_retention bepaalt hoe lang Luna ze bewaart.
answer_refused = niet gevonden
answer_helpful = hielp
answer_unhelpful = hielp niet
answer_no_model = geen taalmodel
answer_more = Details
answer_text = Antwoord
answer_sources = Bronnen
answer_chunks = Gelezen passages
answer_tools = Hulpmiddelen
answer_tokens = Tokens gelezen / geschreven
answer_first_token = Eerste woord na
answer_notes = Opmerkingen
answer_feedback = Commentaar van de lezer
answer_prompt = Prompt, versie { $version }
empty_logs = Er zijn nog geen logregels.
loading = laadt …
as_of = stand van { $time }
stale = Luna antwoordt niet. Dit is de stand van { $time }.
panel_error = Luna kon dit niet laden.
try_again = Opnieuw proberen
service = Dienst
state = Toestand
instance = Versie
since = Draait sinds
needs = Controles en antwoordtijden
is_ready = gereed
is_missing = ontbreekt: { $what }
no_instance = draait niet
site_cycled = { $site }: laatste besluit { $at }
site_blind = { $site }: geen nieuwe meterwaarden sinds { $at }
jobs_queued = Wachtende taken
jobs_running = Lopende taken
jobs_dead = Opgegeven taken
oldest = Oudste open taak
age_days =
    { $days ->
        [one] { $days } dag, { $clock }
       *[other] { $days } dagen, { $clock }
    }
dead_tasks = Taken waarbij de achtergronddienst vastliep
database = Database
objects = Bestanden
table = Tabel
rows = Rijen (ongeveer)
size = Grootte
all_tables =
    { $count ->
        [one] { $count } tabel
       *[other] { $count } tabellen
    }
site = Huis
model = Versie
learned_until = Gegevens tot
trigger = Reden
took = Duur
verdict = Resultaat
run_accepted = ✓ bruikbaar
run_rejected = ✕ niet gebruikt
trigger_hand = met de hand
trigger_force = met de hand, zonder test
trigger_schedule = wekelijks
trigger_drift = het huis is veranderd
filter = Taken tonen
job_all = alle
job_open = open
job_queued = wacht
job_running = loopt
job_done = klaar
job_failed = mislukt
job_dead = opgegeven
job_cancelled = geannuleerd
attempts =
    { $count ->
        [one] 1 poging
       *[other] { $count } pogingen
    }
cancel = Annuleren
when = Wanneer
who = Wie
what = Wat
means_key = sleutel { $prefix }
means_local = met link
means_monitor = bewaking
means_nobody = niet aangemeld
means_password = wachtwoord
means_session = browser
means_token = programma
ended = Resultaat
where = Vanaf adres
logs_lead = Deze regels komen van dit proces en de processen die het startte. Met containers heeft elke dienst zijn eigen log; Grafana toont ze allemaal.
settings_lead = Gemarkeerde instellingen wijken af van de standaard. Waarden uit de omgeving of .env gaan voor; wijzig ze daar.
settings_elsewhere = Gemarkeerde instellingen wijken af van de standaard. In deze installatie wijzig je ze in .env en in de map met geheimen.
source_environment = omgeving
source_secret_file = bestand met geheim
source_dotenv = { "." }env
source_page = hier ingesteld
source_start = bij de start ingesteld
source_default = standaard
secret_kept = opgeslagen, verborgen
secret_none = niet ingesteld
save = Opslaan
to_default = Terug naar standaard
by_environment = Ingesteld door { $variable }
default_is = Standaard: { $value }
tab_people = Personen
panel_people = Personen met toegang
empty_people = Er zijn nog geen accounts. Op deze computer mag iedereen alles, op andere computers niemand iets.
first_account = Eerste account maken
all_sites = alle huizen
role_user = gebruiker
role_analyst = analist
role_admin = beheerder
signed_in = laatst aangemeld { $time }
remove_person = Verwijderen
add_person = Persoon toevoegen
person_name = Naam
person_password = Eerste wachtwoord
person_role = Rol
person_sites = Huizen
tab_messages = Berichten
panel_messages = Wie berichten krijgt
messages_lead = Een ontvanger is een telefoon, een mailbox of een andere dienst. Luna bewaart het adres en toont het niet meer.
empty_messages = Er is nog geen ontvanger, dus krijgt niemand berichten. Voeg er hieronder een toe.
channels_by_setting = Ook ontvangers in { $variable } krijgen berichten en de test. Wijzig ze daar.
empty_channels = Hier is nog geen ontvanger.
also_system = ook storingen in Luna
remove_channel = Verwijderen
send_test = Testbericht sturen
test_sent = verstuurd
test_failed = niet verstuurd
add_channel = Ontvanger toevoegen
channel_name = Naam
channel_address = Adres
hint_channel_address = Voor e-mail: mailtos://user:password@example.org. Voor de app van Home Assistant: notify.mobile_app_phone. Andere diensten hebben hun Apprise-adres nodig.
event_plan = plan
event_device = apparaten
event_prices = goedkope uren
event_saving = besparing per week
event_day = plan van de dag
event_system = storingen in Luna
tab_extras = Aanvullingen
panel_extras = Aanvullingen
extras_lead = De meeste huizen hebben dit niet nodig. Luna installeert een aanvulling pas als je akkoord gaat.
extra_training = Training van neurale netwerken
extra_lab = Cameralab
extra_pictures = Plaatjes als PNG of PDF
extra_mdns = Automatisch zoeken naar apparaten
extra_qdrant = Aparte zoekserver (Qdrant)
extra_size = { $download } MB download, { $disk } MB schijfruimte
extra_here = geïnstalleerd
extra_missing = niet geïnstalleerd
extra_elsewhere = Deze installatie kan het niet installeren. Gebruik een Luna-image dat het bevat; de bedieningshandleiding noemt het.
extra_ask = Installeren …
extra_agree =
    { $minutes ->
        [one] Luna downloadt { $download } MB, dat duurt ongeveer een minuut. Het neemt { $disk } MB in { $folder } in. Hier kun je het weer verwijderen.
       *[other] Luna downloadt { $download } MB, dat duurt ongeveer { $minutes } minuten. Het neemt { $disk } MB in { $folder } in. Hier kun je het weer verwijderen.
    }
extra_install = Akkoord en installeren
extra_remove = Verwijderen
