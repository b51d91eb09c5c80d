#!/bin/sh
# Installs the foreign phones and servers, and the browser, that the interop tests use, where that may be done.
set -eu
wanted=""
command -v sipp >/dev/null || wanted="$wanted sip-tester"
command -v baresip >/dev/null || wanted="$wanted baresip"
command -v linphonec >/dev/null || wanted="$wanted linphone-cli"
[ -x /usr/sbin/kamailio ] || wanted="$wanted kamailio"
command -v chromium >/dev/null || wanted="$wanted chromium"
command -v fail2ban-regex >/dev/null || wanted="$wanted fail2ban"
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "interop tests will be skipped: they need$wanted (sudo apt-get install$wanted)" >&2
    exit 0
fi
echo "installing$wanted for the interop tests"
# Only the programs are wanted: no service shall start on this machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $wanted >/dev/null
