-- Runs once, when the volume is empty. Luna's role owns its database and is no superuser; what needs one is done here.
\set password `cat /run/secrets/database_password`
CREATE ROLE luna LOGIN PASSWORD :'password';
ALTER DATABASE luna OWNER TO luna;
GRANT ALL ON SCHEMA public TO luna;
CREATE EXTENSION IF NOT EXISTS timescaledb;
SELECT 'CREATE EXTENSION IF NOT EXISTS timescaledb_toolkit' FROM pg_available_extensions WHERE name = 'timescaledb_toolkit' \gexec
