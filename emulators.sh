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

# The first of the commands that follow which is a Python that can do this.
first_that() {
  local able="$1" python
  for python in "${@:2}"; do
    if "$python" -c "$able" >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
  return 1
}

# A distribution builds its Python with profile-guided optimisation; a version manager that compiles one (pyenv)
# does not by itself, and then all that runs in it takes longer. So a new environment gets the distribution's.
pythons=(.venv/bin/python /usr/bin/python3.1{1,2,3,4} python3.1{1,2,3,4} python3)
new='import sys; sys.exit(sys.version_info < (3, 11))'
# Debian keeps ensurepip apart, and without it no environment can be made: better one that has it.
if python="$(first_that "import ensurepip; $new" "${pythons[@]}" || first_that "$new" "${pythons[@]}")"; then
  exec "$python" -m infra.local.bootstrap "$@"
fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing python3 with apt-get, once"
  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y python3 python3-venv >/dev/null
  if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    exec python3 -m infra.local.bootstrap "$@"
  fi
fi
echo "Python 3.11 or newer was not found: install it (python.org, or your package manager) and start again" >&2
exit 1
