#!/bin/sh
# A database and a role for each service; a role reaches its own database only. Runs by itself on an empty data volume, and by hand after
# an upgrade that brings a service (docs/containers.md): what exists is left as it is.
set -eu
for service in grid business-environment-monitor; do
  name=jingwei_$(echo "$service" | tr - _)
  psql --set=ON_ERROR_STOP=1 --username postgres --set=name="$name" --set=password="$(cat "/run/secrets/$service-password")" <<'SQL'
select format('create role %I login password %L', :'name', :'password') where not exists (select from pg_roles where rolname = :'name') \gexec
select format('create database %I owner %I', :'name', :'name') where not exists (select from pg_database where datname = :'name') \gexec
revoke connect on database :"name" from public;
SQL
done
psql --set=ON_ERROR_STOP=1 --username postgres <<'SQL'
revoke connect on database postgres, template1 from public;
SQL
