# shellcheck shell=bash
# terraform.tfvars: what the person has chosen. A copy is beside Terraform's state, so that another checkout does not
# start from the defaults and take away what this one has made.

# setting NAME: its value, or nothing.
setting() {
  [ -f "$settings" ] || return 0
  sed -nE "s/^$1[[:space:]]*=[[:space:]]*\"([^\"]*)\".*/\1/p" "$settings" | head -n 1
}

# keep LINE: adds it. The last line of the file may lack its end.
keep() {
  [ ! -s "$settings" ] || [ -z "$(tail -c 1 "$settings")" ] || printf '\n' >> "$settings"
  printf '%s\n' "$1" >> "$settings"
}

# check NAME VALUE: ends the script if the validation in variables.tf refuses the value.
check() {
  local block pattern
  block="$(sed -n "/^variable \"$1\"/,/^}/p" "$here/variables.tf")"
  pattern="$(sed -n 's/.*can(regex("\(.*\)", [a-z_.]*)).*/\1/p' <<< "$block" | head -n 1)"
  [[ "$2" =~ ${pattern//\\\\/\\} ]] ||
    die "$(sed -nE 's/.*error_message = "(.*)"/\1/p' <<< "$block" | head -n 1 | tr -d '\\') Found: $2"
}

# agreed NAME VARIABLE: the setting, or else the variable of the environment. If both are there, they are equal.
agreed() {
  local kept given="${!2:-}"
  kept="$(setting "$1")"
  [ -z "$kept" ] || [ -z "$given" ] || [ "$kept" = "$given" ] ||
    die "$2 is $given, but $1 in terraform.tfvars is $kept. Change one of them."
  printf '%s' "${kept:-$given}"
}

# keep_string NAME VALUE: adds a setting that is not there yet.
keep_string() { [ -n "$(setting "$1")" ] || keep "$1 = \"$2\""; }

# stored NAME FILE: gets a file from beside Terraform's state. Fails if there is none.
stored() {
  local code
  code="$(curl --silent --show-error --max-time 60 --config <(bearer "$GOOGLE_OAUTH_ACCESS_TOKEN") --output "$2" \
    -w '%{http_code}' "https://storage.googleapis.com/storage/v1/b/$state/o/$1?alt=media")" || code="no answer"
  [ "$code" = 200 ] && return
  rm -f "$2"
  [ "$code" = 404 ] || die "gs://$state/$1 cannot be read ($code). Try again."
  return 1
}

# Takes the settings and the provider's version of the last deployment, if this checkout has no settings.
take_settings() {
  # All machines use one version of the provider: a state of a newer one cannot be read by an older one.
  stored terraform.lock.hcl "$here/.lock.stored" && cp "$here/.lock.stored" "$here/.terraform.lock.hcl"
  stored terraform.tfvars "$here/.settings.stored" || return 0
  [ ! -e "$settings" ] || return 0
  say "Taking the settings of the last deployment from gs://$state/terraform.tfvars."
  cp "$here/.settings.stored" "$settings"
  cp "$here/.settings.stored" "$here/.settings.known"
}

# Asks if another checkout has deployed other settings since this one did.
compare_settings() {
  local theirs="$here/.settings.stored"
  [ -e "$theirs" ] || return 0
  cmp -s "$theirs" "$settings" || cmp -s "$theirs" "$here/.settings.known" && return
  say "The last deployment was made elsewhere, with other settings (-) than those in terraform.tfvars (+):"
  diff -u "$theirs" "$settings" | tail -n +3 || true
  [ "$command" = apply ] || return 0
  sure "Undo its settings in $project?" "$project" ||
    die "Nothing was changed. Take over from $theirs what should stay, or delete terraform.tfvars to take all of it."
  cp "$theirs" "$here/.settings.known"
}

store_settings() {
  store "$here/.terraform.lock.hcl" "$here/.lock.stored" terraform.lock.hcl
  store "$settings" "$here/.settings.stored" terraform.tfvars
  cp "$settings" "$here/.settings.known"
}

# store FILE STORED NAME: puts a file beside Terraform's state, unless what is stored is the same.
store() {
  cmp -s "$1" "$2" && return
  gcloud storage cp "$1" "gs://$state/$3" --quiet > /dev/null 2>&1 || die "gs://$state/$3 cannot be stored. Try again."
}
