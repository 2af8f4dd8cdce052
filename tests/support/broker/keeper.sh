# Keeps one private RabbitMQ node: the node and its epmd are children of this shell, which ends both and removes their
# folder when its standard input closes, and that closes with the test process, however it ends.
# Not here: waiting. Every verb read from standard input is answered at once, in one line.
# Arguments: FOLDER SERVER EPMD. The environment is the node's.
folder=$1 server=$2 epmd=$3 node='' beam=''

# The folder's `pid` names the virtual machine; it vanishes early in a graceful stop, so it is remembered.
find_beam() {
    [ -s "$folder/pid" ] && beam=$(cat "$folder/pid")
}

# A zombie still has its pid: only its state tells.
runs() {
    [ -n "$1" ] && kill -0 "$1" 2>/dev/null || return 1
    [ -r "/proc/$1/stat" ] || return 0
    read -r _ _ state _ <"/proc/$1/stat" && [ "$state" != Z ]
}

# Killed by name, the virtual machine is reaped by its own wrapper, which then ends; the group is for what has no name yet.
signal() {
    find_beam
    if [ -n "$beam" ]; then kill "-$1" "$beam"; elif [ -n "$node" ]; then kill "-$1" -- "-$node"; fi 2>/dev/null
}

gone() {
    if [ -n "$node" ]; then
        runs "$node" && return 1
        wait "$node"
        runs "$beam" && return 1
        rm -f "$folder/pid"
        node='' beam=''
    fi
}

launch() {
    runs "$port_mapper" || { "$epmd" -port "$ERL_EPMD_PORT" -address 127.0.0.1 </dev/null >/dev/null 2>&1 & port_mapper=$!; }
    (cd "$folder" && exec setsid "$server") </dev/null >>"$folder/out" 2>&1 &
    node=$!
}

end() {
    signal KILL
    [ -n "$node" ] && kill -KILL -- "-$node" 2>/dev/null
    [ -n "$port_mapper" ] && kill -KILL "$port_mapper" 2>/dev/null
    tries=50
    until gone || [ $((tries -= 1)) -eq 0 ]; do sleep 0.1; done
    tries=20
    until rm -rf "$folder" 2>/dev/null || [ $((tries -= 1)) -eq 0 ]; do sleep 0.1; done
}

port_mapper=''
trap '' PIPE
trap end EXIT
trap 'exit 0' HUP INT TERM
while read -r verb; do
    case $verb in
    start) launch ;;
    gone) gone || { echo no; continue; } ;;
    pids) find_beam; echo "$$ $port_mapper $node $beam"; continue ;;
    *) signal "$verb" ;;
    esac
    echo yes
done
