#!/bin/sh
# Runs once, on an empty data volume: a database and a role for each service; a role reaches its own database only.
set -eu
for service in grid; do
  name=jingwei_$service
  psql --set=ON_ERROR_STOP=1 --username postgres --set=name="$name" --set=password="$(cat "/run/secrets/$service-password")" <<'SQL'
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke connect on database :"name" from public;
SQL
done
psql --set=ON_ERROR_STOP=1 --username postgres <<'SQL'
revoke connect on database postgres, template1 from public;
SQL
