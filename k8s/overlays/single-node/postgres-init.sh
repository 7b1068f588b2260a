# Runs once, when the data directory is made: the services' role is no superuser.
psql --set=ON_ERROR_STOP=1 --username=postgres --set=password="$(cat /run/secrets/postgres/password)" <<'SQL'
create role sekimori login password :'password';
create database sekimori owner sekimori;
SQL
