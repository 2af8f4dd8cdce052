#!/bin/sh
# Packs the program with all that a machine wants of it: man pages, completions for shells, the examples and their schema, the unit of
# systemd, the files for the broker, and the licences.
#
#   deploy/archive.sh PROGRAM ARCHIVE     ARCHIVE ends in .tar.gz; what is in it lies in a folder of that name
#
# Not here: building the program (`make archive`).
set -eu
program=$(realpath "$1") archive=$2
cd "$(dirname "$0")/.."

name=$(basename "$archive" .tar.gz)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
into=$folder/$name
mkdir -p "$into/man" "$into/completions"
cp "$program" "$into/chakra-bridge"
"$program" man "$into/man" >&2
for shell in bash elvish fish powershell zsh; do
    "$program" completions "$shell" >"$into/completions/chakra-bridge.$shell"
done
cp -r config README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$into/"
cp deploy/chakra-bridge.service "$into/"
cp -r deploy/rabbitmq "$into/"
mkdir -p "$(dirname "$archive")"
tar -czf "$archive" -C "$folder" --owner=0 --group=0 "$name"
echo "$archive" >&2
