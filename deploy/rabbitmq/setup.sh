#!/bin/sh
# Makes what chakra-bridge needs of a RabbitMQ: the virtual host, queues and policy of definitions.json, the users and
# rights of users.json, and the password of the daemon's user. Needs curl and the management plugin.
#
#   RABBITMQ_ADMIN=user:password ./setup.sh https://rabbit.internal:15671 <rabbitmq-password
#
# With OUTCOMES=yes in front also what outcomes need: their exchange, a queue behind it, and the right to write to it (for-outcomes.json).
#
# The password comes from standard input; none stands in an argument list. May be run again, to change it, or after the files
# have changed: rights become those of the files, and the other users keep their passwords.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
broker=${1:?the URL of the management API, such as https://rabbit.internal:15671}
: "${RABBITMQ_ADMIN:?the name and password of an administrator, as user:password}"
IFS= read -r password || [ -n "$password" ] || { echo "no password on standard input" >&2; exit 64; }

quoted() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

umask 077
login=$(mktemp)
trap 'rm -f "$login"' EXIT
printf 'user = "%s"\n' "$(quoted "$RABBITMQ_ADMIN")" >"$login"

api() { # method, path, more…
    method=$1 path=$2; shift 2
    curl --silent --show-error --fail-with-body --config "$login" --request "$method" \
        --header 'content-type: application/json' "$@" "$broker/api/$path"
}

api POST definitions --data-binary "@$here/definitions.json"
# Each user once: a second import would take away the password that it was given since.
sed -n 's/^ *{"name": "\([^"]*\)".*/\1/p' "$here/users.json" | while read -r user; do
    api GET "users/$user" >/dev/null 2>&1 && continue
    sed -n "s/^ *\({\"name\": \"$user\".*}\),*$/{\"users\": [\1]}/p" "$here/users.json" |
        api POST definitions --data-binary @-
done
# Rights always: who was there before must have these and no others.
sed '/^  "users"/,/^  ]/d' "$here/users.json" | api POST definitions --data-binary @-
[ "${OUTCOMES:-no}" != yes ] || api POST definitions --data-binary "@$here/for-outcomes.json"
printf '{"password": "%s", "tags": ""}' "$(quoted "$password")" | api PUT users/chakra-bridge --data-binary @-
echo "made: virtual host crm, queue crm.events with its dead-letter and delay queues, user chakra-bridge"
echo "the other users of users.json have no access until they are given a password"
