#!/bin/sh
# As the official image's, as far as the compose file asks: root reads the password, a first start makes the cluster with its user and
# database while only a socket is open, then the server runs as the user postgres.
set -eu
data=/var/lib/postgresql/data
PATH=$(dirname "$(find /usr/lib/postgresql -name initdb | head -n 1)"):$PATH
POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
install -d -o postgres -g postgres -m 0700 "$data"
install -d -o postgres -g postgres -m 2777 /var/run/postgresql
as() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
if [ ! -s "$data/PG_VERSION" ]; then
    printf '%s\n' "$POSTGRES_PASSWORD" > /tmp/password && chown postgres /tmp/password
    as initdb -D "$data" -U "$POSTGRES_USER" --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust
    rm /tmp/password
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    echo "listen_addresses = '*'" >> "$data/postgresql.conf"
    as pg_ctl -D "$data" -o "-c listen_addresses=''" -w start
    as psql -U "$POSTGRES_USER" -d postgres -c "CREATE DATABASE $POSTGRES_DB"
    as pg_ctl -D "$data" -m fast -w stop
fi
exec setpriv --reuid postgres --regid postgres --clear-groups postgres -D "$data"
