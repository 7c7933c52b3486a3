#!/bin/sh
# Creates Temporal's two databases and brings them to the schema of this image's version. Changes nothing that is
# there already, so it runs before every start of the server, which is what makes an upgrade of the server safe.
# Where Postgres is, and who asks, is told by SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD.
set -eu

prepare() {
    database=$1
    schema=$2
    temporal-sql-tool --database "$database" create
    temporal-sql-tool --database "$database" setup-schema --version 0.0
    temporal-sql-tool --database "$database" update-schema --schema-name "postgresql/v12/$schema"
}

prepare temporal temporal
prepare temporal_visibility visibility
