# shellcheck shell=bash
# The values of secrets: asked for, or taken from the environment, and stored in Secret Manager.

where_from() {
  case "$1" in
    YOUTUBE_API_KEY) say "A key for the YouTube Data API: $console/apis/credentials?project=$project" ;;
    GOOGLE_OAUTH_CLIENT_SECRET)
      say "The secret of the OAuth client: $console/auth/clients?project=$project"
      ;;
    ELASTICSEARCH_API_KEY) say "A key of the search server (docs/deploying.md says with which rights)." ;;
    PROXY_URL) say "The address of the proxy, with its user and password." ;;
    *) say "$1." ;;
  esac
}

# versions NAME [FILTER]: the number of the newest version, or nothing.
versions() {
  gcloud secrets versions list "$1" --project="$project" ${2:+--filter="$2"} --sort-by=~createTime --limit=1 \
    --format="value(name.basename())"
}

latest() { gcloud secrets versions access latest --secret="$1" --project="$project" 2> /dev/null; }

# new_secret VARIABLE NAME VERSION: prints a value that has to be stored, or nothing.
new_secret() {
  local given="${!1:-}" value=
  if [ -n "$given" ] || [ -n "$3" ]; then
    printf '%s' "$given"
  elif [ "$1" = GRANT_ENCRYPTION_KEYS ]; then
    # With a new key nobody could read what was stored with the old one.
    value="$(versions "$2")"
    [ -z "$value" ] || die "All versions of $2 are disabled. Enable the last one, or what it has encrypted is lost:
gcloud secrets versions enable $value --secret=$2 --project=$project"
    python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode(), end="")'
  elif [ -t 3 ]; then
    where_from "$1" >&2
    read -rsp "$1: " value <&3 && printf '\n' >&2
    printf '%s' "$value"
  fi
}

# Makes the secrets that are missing, and nothing else. Those that are not needed any more go with the rest, after
# the question.
make_secrets() {
  local each line missing=
  while read -r each line <&4; do
    [[ "$line" != *" create" ]] || missing="$missing -target=google_secret_manager_secret.secret[\"$each\"]"
  done 4<<< "$needed_secrets"
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086 several arguments
  terraform_ plan -input=false -out=secrets.tfplan $missing > /dev/null
  [ -z "$(about secrets.tfplan losses)" ] ||
    die "Secrets cannot be made without taking something away. Look at: deploy.sh plan"
  terraform_ apply -input=false secrets.tfplan > /dev/null
}

# Fills secrets, and names the number of each version for Terraform, so that functions get new values at once.
fill_secrets() {
  local variable name action version value pairs=
  terraform_ plan -input=false -out=secrets.tfplan -target=google_secret_manager_secret.secret > /dev/null
  needed_secrets="$(about secrets.tfplan secrets)"
  [ "$command" != apply ] || make_secrets
  rm -f "$here/secrets.tfplan"
  while read -r variable name action <&4; do
    [ -n "$variable" ] || continue
    [ "$command" = apply ] || [ "$action" = keep ] || continue
    version="$(versions "$name" state=ENABLED)"
    if [ "$command" = apply ]; then
      fill_secret
    fi
    [ -z "$version" ] || pairs="$pairs${pairs:+, }\"$variable\": \"$version\""
  done 4<<< "$needed_secrets"
  # In a file, so that terraform says the same without this script. Numbers are no secrets.
  printf '{"secret_versions": {%s}}\n' "$pairs" > "$here/secrets.auto.tfvars.json"
}

# One secret of the loop above.
fill_secret() {
  value="$(new_secret "$variable" "$name" "$version")"
  if [ -n "$value" ] && { [ -z "$version" ] || [ "$(latest "$name")" != "$value" ]; }; then
    printf '%s' "$value" |
      gcloud secrets versions add "$name" --data-file=- --project="$project" --quiet > /dev/null
    version="$(versions "$name" state=ENABLED)"
    say "$variable: stored as version $version of $name."
  fi
  [ -n "$version" ] || die "$variable has no value. $(where_from "$variable")
Set $variable, or run this in a terminal."
}
