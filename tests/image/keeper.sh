# Removes the containers of a Docker network, and the network, when standard input closes: that is when the test ends,
# however it ends. Argument: NETWORK
network=$1
trap '' PIPE HUP INT TERM
while read -r _; do :; done
{
    docker ps --all --quiet --filter "label=chakra-bridge-tests=$network" | xargs -r docker rm --force --volumes
    docker ps --all --quiet --filter "network=$network" | xargs -r docker rm --force --volumes
    docker network rm "$network"
} >/dev/null 2>&1
