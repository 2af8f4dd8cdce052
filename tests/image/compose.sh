# Takes the compose project down when standard input closes: that is when the test ends, however it ends.
# Arguments: PROJECT FILE COMMAND…
project=$1 file=$2; shift 2
trap '' PIPE HUP INT TERM
while read -r _; do :; done
"$@" --project-name "$project" --file "$file" down --volumes --timeout 5 >/dev/null 2>&1
