#!/usr/bin/env bash
# The local run: ./emulators.sh up, and see the sentence with which it ends. --help lists the rest.
# This file only finds a Python; infra/local/bootstrap.py makes .venv, infra/local/cli.py does the work.
set -euo pipefail

here="${BASH_SOURCE[0]}"
while [ -L "$here" ]; do
  target="$(readlink "$here")"
  case "$target" in
    /*) here="$target" ;;
    *) here="$(dirname "$here")/$target" ;;
  esac
done
cd "$(dirname "$here")"

for python in .venv/bin/python python3.11 python3.12 python3.13 python3.14 python3; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    exec "$python" -m infra.local.bootstrap "$@"
  fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing python3 with apt-get, once"
  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y python3 python3-venv >/dev/null
  if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    exec python3 -m infra.local.bootstrap "$@"
  fi
fi
echo "Python 3.11 or newer was not found: install it (python.org, or your package manager) and start again" >&2
exit 1
