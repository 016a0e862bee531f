#!/bin/sh
# Trusts a self-signed client certificate, or a CA: the same as `claviger cert import FILE`.
# No restart is needed. The data directory is CLAVIGER_DATA, or ./claviger-data.
#
#   sh scripts/importCert.sh /path/to/server.crt
#   sh scripts/importCert.sh --ca /path/to/company-ca.pem
set -eu

if [ "$#" -eq 0 ]; then
    echo "usage: importCert.sh [--ca] FILE" >&2
    exit 2
fi

here=$(cd "$(dirname "$0")" && pwd)
# Beside this script or in ../bin as installed, in the build's folders as cloned, or on PATH.
for program in "$here/claviger" "$here/../bin/claviger" \
    "$here/../target/release/claviger" "$here/../target/debug/claviger"; do
    if [ -x "$program" ]; then
        exec "$program" cert import "$@"
    fi
done
if ! command -v claviger >/dev/null 2>&1; then
    echo "importCert.sh: there is no claviger beside this script or on PATH: build or install it" >&2
    exit 1
fi
exec claviger cert import "$@"
