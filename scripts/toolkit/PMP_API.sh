#!/bin/sh
# Passwords for scripts, as ever:
#
#   PMP_API.sh RETRIEVE     RESOURCE ACCOUNT
#   PMP_API.sh RESET_LOCAL  RESOURCE ACCOUNT NEW_PASSWORD
#   PMP_API.sh RESET_REMOTE RESOURCE ACCOUNT NEW_PASSWORD
#   PMP_API.sh CREATE       RESOURCE ACCOUNT [PASSWORD]
#
# A password of `-` is read from standard input, where no list of processes shows it. One that may
# look like an option is written `-- "$PASSWORD"`, or `-`. Settings are in PMP_API.conf beside this
# script; README.txt says more.
set -eu

self=$0
while [ -h "$self" ]; do
    to=$(readlink "$self")
    case $to in
    /*) self=$to ;;
    *) self=$(dirname "$self")/$to ;;
    esac
done
here=$(CDPATH='' cd "$(dirname "$self")" && pwd -P)

program=$here/claviger-client
if [ ! -x "$program" ]; then
    if ! program=$(command -v claviger-client); then
        echo "ERROR: there is no claviger-client beside PMP_API.sh or on PATH: README.txt says how to get it" >&2
        exit 2
    fi
fi
exec "$program" --conf "$here/PMP_API.conf" "$@"
