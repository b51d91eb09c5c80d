#!/bin/sh
# Asterisk 22 of Debian sid, in a folder of its own: what `make bench-asterisk` measures beside the product.
set -eu
folder=$1
if [ -x "$folder/usr/sbin/asterisk" ]; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "a Debian sid with Asterisk in $folder can be made, and run, by root only" >&2
    exit 1
fi
command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -qq -y debootstrap >/dev/null
rm -rf "$folder.part"
debootstrap --variant=minbase --include=asterisk sid "$folder.part" >"$folder.log"
mv "$folder.part" "$folder"
