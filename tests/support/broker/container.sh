# Removes one container when standard input closes, and that closes with the test process, however it ends.
# Argument: NAME
name=$1
trap '' PIPE HUP INT TERM
while read -r _; do :; done
if command -v docker >/dev/null; then
    docker rm --force --volumes "$name"
else
    curl --silent --unix-socket /var/run/docker.sock --request DELETE "http://localhost/containers/$name?force=true&v=true"
fi >/dev/null 2>&1
