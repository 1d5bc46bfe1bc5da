#!/bin/bash
# Makes a user and a database for each service that keeps its data in PostgreSQL; no user can open another's database.
# The image runs it once, on an empty volume.
set -euo pipefail

make_database() {
    local owner=$1 password=$2
    psql --no-psqlrc --set ON_ERROR_STOP=1 --set owner="$owner" --set password="$password" \
        --username "$POSTGRES_USER" --dbname postgres <<<"CREATE ROLE :\"owner\" LOGIN PASSWORD :'password';"
    shift 2
    local database
    for database in "$owner" "$@"; do
        psql --no-psqlrc --set ON_ERROR_STOP=1 --set owner="$owner" --set database="$database" \
            --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE DATABASE :"database" OWNER :"owner";
REVOKE CONNECT ON DATABASE :"database" FROM PUBLIC;
SQL
    done
}

make_database litellm "$LITELLM_DB_PASSWORD"
make_database openwebui "$OPENWEBUI_DB_PASSWORD"
# Dify's plugin daemon has a database of its own.
make_database dify "$DIFY_DB_PASSWORD" dify_plugin
make_database langflow "$LANGFLOW_DB_PASSWORD"
make_database activepieces "$ACTIVEPIECES_DB_PASSWORD"
