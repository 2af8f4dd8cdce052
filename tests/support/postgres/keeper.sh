# Keeps one private Postgres: its server is a child of this shell, which ends it and removes its folder when standard input
# closes, and that closes with the test process, however it ends.
# Not here: waiting. Every verb read from standard input is answered at once, in one line.
# Arguments: FOLDER BIN PORT MEGABYTES (of a disk of its own; 0 for none).
folder=$1 bin=$2 port=$3 disk=$4 server=''

# The server refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then as="setpriv --reuid=65534 --regid=65534 --clear-groups"; else as=''; fi

make() {
    mkdir -p "$folder/disk" || return 1
    if [ "$disk" != 0 ]; then mount -t tmpfs -o "size=${disk}m" chakra-bridge-test "$folder/disk" || return 1; fi
    [ -z "$as" ] || chown 65534:65534 "$folder" "$folder/disk" "$folder/password"
    cd "$folder" || return 1
    $as "$bin/initdb" --pgdata="$folder/disk/data" --username=tests --auth=scram-sha-256 --pwfile="$folder/password" \
        --encoding=UTF8 --locale=C --no-sync --wal-segsize=1 </dev/null >"$folder/out" 2>&1
}

launch() {
    (cd "$folder" && exec $as "$bin/postgres" -D "$folder/disk/data" -k "$folder" -p "$port" -c listen_addresses=127.0.0.1 \
        -c shared_buffers=16MB -c max_connections=30 -c max_wal_size=8MB -c min_wal_size=2MB) </dev/null >>"$folder/out" 2>&1 &
    server=$!
}

# A zombie still has its pid: only its state tells.
gone() {
    [ -n "$server" ] || return 0
    if [ -r "/proc/$server/stat" ]; then
        read -r _ _ state _ <"/proc/$server/stat" && [ "$state" != Z ] && return 1
    fi
    wait "$server"
    server=''
}

# Its own children end with it, but not at once where it is killed.
signal() { [ -z "$server" ] || kill "-$1" "$server" 2>/dev/null; }

everybody() { for pid in $(pgrep -P "$server") $server; do kill "-$1" "$pid" 2>/dev/null; done; }

end() {
    everybody CONT
    signal QUIT
    tries=50
    until gone || [ $((tries -= 1)) -eq 0 ]; do sleep 0.1; done
    everybody KILL
    [ "$disk" = 0 ] || umount -l "$folder/disk" 2>/dev/null
    tries=20
    until rm -rf "$folder" 2>/dev/null || [ $((tries -= 1)) -eq 0 ]; do sleep 0.1; done
}

trap '' PIPE
trap end EXIT
trap 'exit 0' HUP INT TERM
while read -r verb; do
    case $verb in
    make) make || { echo no; continue; } ;;
    start) launch ;;
    gone) gone || { echo no; continue; } ;;
    fill) head -c 1G /dev/zero >"$folder/disk/filler" 2>/dev/null ;;
    empty) rm -f "$folder/disk/filler" ;;
    KILL | STOP | CONT) everybody "$verb" ;;
    *) signal "$verb" ;;
    esac
    echo yes
done
