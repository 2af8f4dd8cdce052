# Postgres of Debian 12, for a machine that reaches no registry of images: the variables and the port are those of the public image.
# Not here: any setting that the ledger does not find elsewhere.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-15 && rm -rf /var/lib/apt/lists/* \
 && install -d -o postgres -g postgres /data
ENV POSTGRES_USER=postgres
EXPOSE 5432
USER postgres
STOPSIGNAL SIGINT
CMD ["sh", "-c", "set -e; bin=/usr/lib/postgresql/15/bin; if [ ! -d /data/base ]; then \
 printf '%s' \"$POSTGRES_PASSWORD\" >/tmp/password; \
 $bin/initdb --pgdata=/data --username=\"$POSTGRES_USER\" --auth=scram-sha-256 --pwfile=/tmp/password --encoding=UTF8; rm /tmp/password; \
 echo 'host all all all scram-sha-256' >>/data/pg_hba.conf; fi; exec $bin/postgres -D /data -c listen_addresses='*'"]
