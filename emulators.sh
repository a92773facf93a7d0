#!/usr/bin/env bash
# Runs all of yts on this machine. Begin with ./emulators.sh up; --help lists the commands.
# This script finds a Python. infra/local/bootstrap.py makes .venv, and infra/local/cli has the commands.
set -euo pipefail

# The script may be called through symbolic links, from any directory.
here="${BASH_SOURCE[0]}"
while [ -L "$here" ]; do
  target="$(readlink "$here")"
  case "$target" in
    /*) here="$target" ;;
    *) here="$(dirname "$here")/$target" ;;
  esac
done
# Files that a command writes are meant to be there.
export CALLED_FROM="$PWD"
cd "$(dirname "$here")"

# first_that CODE PYTHON...: prints the first of these Pythons that runs CODE without an error.
first_that() {
  local code="$1" python
  for python in "${@:2}"; do
    if "$python" -c "$code" >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
  return 1
}

# The Python of a distribution comes before others: it is built with profile-guided optimisation. pyenv builds
# without it by default, which makes everything slower.
pythons=(.venv/bin/python /usr/bin/python3.1{1,2,3,4} python3.1{1,2,3,4} python3)
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
# An environment can only be made with ensurepip, which Debian has in a separate package.
if python="$(first_that "import ensurepip; $new_enough" "${pythons[@]}" || first_that "$new_enough" "${pythons[@]}")"; then
  exec "$python" -m infra.local.bootstrap "$@"
fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing python3 with apt-get, once"
  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y python3 python3-venv >/dev/null
  if python3 -c "$new_enough"; then
    exec python3 -m infra.local.bootstrap "$@"
  fi
fi
echo "Python 3.11 or newer was not found. Install it (python.org, or your package manager) and start again." >&2
exit 1
