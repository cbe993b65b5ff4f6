#!/bin/sh
# Roles and databases of a shop. The official PostgreSQL image runs this once, when its data
# directory is empty; on a server of your own, run it as a superuser with the same variables set.
# It may be run again: what is there stays, and passwords are set anew.
#
# For every variable SOUK_<SERVICE>_DB_PASSWORD: a role souk_<service> that owns the database
# souk_<service> and may connect to no other, so that a service that is broken into holds only its
# own data. SOUK_KEYRING_DB_PASSWORD makes the key ring's database in the same way; its data should
# live on another server where it matters (see docs/runbook.md, "The key ring").
# SOUK_MIGRATOR_DB_PASSWORD makes the role of `souk migrate`: in each database it acts as the owner,
# so that what it creates belongs to the service.
set -eu

admin() {
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
        --username "${POSTGRES_USER:-postgres}" --dbname "$1"
}

# Passwords come from the environment into psql (\getenv) and never stand on a command line. They
# are made of letters and digits, since they also become part of URLs; see make-secrets.
role() { # role, variable that holds its password
    printf '%s\n' "\\getenv password $2" \
        "SELECT format('CREATE ROLE %I LOGIN', '$1')
           WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$1') \\gexec" \
        "ALTER ROLE $1 LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';" |
        admin postgres
}

role souk_migrator SOUK_MIGRATOR_DB_PASSWORD

for variable in $(env | sed -n 's/^\(SOUK_[A-Z0-9_]*_DB_PASSWORD\)=.*/\1/p' | sort); do
    name=$(printf '%s' "$variable" | sed 's/_DB_PASSWORD$//' | tr '[:upper:]' '[:lower:]')
    [ "$name" = souk_migrator ] && continue
    role "$name" "$variable"
    admin postgres <<SQL
SELECT 'CREATE DATABASE $name OWNER $name ENCODING ''UTF8'' TEMPLATE template0'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$name') \gexec
-- Without this, every role may connect to every database.
REVOKE ALL ON DATABASE $name FROM PUBLIC;
GRANT CONNECT ON DATABASE $name TO souk_migrator;
GRANT $name TO souk_migrator;
ALTER ROLE souk_migrator IN DATABASE $name SET role = '$name';
SQL
    admin "$name" <<SQL
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO $name;
SQL
done
