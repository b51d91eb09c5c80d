#!/bin/sh
# Installs the foreign phones that the interop tests call with, where that may be done.
set -eu
wanted=""
command -v sipp >/dev/null || wanted="$wanted sip-tester"
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "installing$wanted for the interop tests"
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $wanted >/dev/null
else
    echo "interop tests will be skipped: they need$wanted (sudo apt-get install$wanted)" >&2
fi
