#!/usr/bin/env bash
# Deploys yts to a project of Google Cloud, or takes it away:
#   deploy.sh [--yes] [apply | plan | smoke | destroy]
#
# It can be run again at any time: what is there stays, and nothing is asked twice. Answers are kept in
# terraform.tfvars (no secrets), and secrets in Secret Manager. docs/deploying.md explains each step.
#
# --yes answers every question but those that take something away.
#
# From the environment, instead of answers:
#   YTS_PROJECT, YTS_REGION, YTS_OPERATORS, GOOGLE_OAUTH_CLIENT_ID        kept in terraform.tfvars
#   YOUTUBE_API_KEY, GOOGLE_OAUTH_CLIENT_SECRET, GRANT_ENCRYPTION_KEYS,
#   ELASTICSEARCH_API_KEY, PROXY_URL, WEBSHARE_PROXY_PASSWORD             become versions of secrets
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
settings="$here/terraform.tfvars"
wait_seconds="${YTS_WAIT_SECONDS:-900}"
console=https://console.cloud.google.com
yes=
command=apply
# The person's answers. Loops below read something else.
exec 3<&0

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
die() { printf '\n%s\n' "$*" >&2; exit 1; }

# ask QUESTION: prints the answer. Without a terminal there is none.
ask() {
  local answer=
  [ -t 3 ] || return 1
  read -rp "$1 " answer <&3 || return 1
  printf '%s' "$answer"
}

# sure QUESTION WORD: whether the person types WORD. --yes answers only what takes nothing away (WORD "yes").
sure() {
  [ "$2" = yes ] && [ -n "$yes" ] && return 0
  [ "$(ask "$1 Type '$2' to go on:")" = "$2" ]
}

# A token is valid for an hour, and this may take longer. gcloud keeps it, and gets another one before it ends.
token_from=-300
renew_token() {
  [ $((SECONDS - token_from)) -ge 300 ] || return 0
  GOOGLE_OAUTH_ACCESS_TOKEN="$(gcloud auth print-access-token 2> /dev/null)" ||
    die "gcloud's sign-in of $account has ended. Run: gcloud auth login"
  export GOOGLE_OAUTH_ACCESS_TOKEN
  token_from="$SECONDS"
}

terraform_() {
  renew_token
  terraform -chdir="$here" "$@"
}

# bearer TOKEN: curl's setting. On its command line, everybody on this machine could read the token.
bearer() { printf 'header = "Authorization: Bearer %s"\n' "$1"; }

# google METHOD URL [BODY]: the answer of one of Google's APIs.
google() {
  renew_token
  curl --silent --show-error --max-time 60 --config <(bearer "$GOOGLE_OAUTH_ACCESS_TOKEN") -X "$1" \
    -H "Content-Type: application/json" -H "x-goog-user-project: $project" ${3:+--data "$3"} "$2"
}

# about PLANFILE losses|away|secrets: see infra/plan_changes.py.
about() { terraform_ show -json "$1" | (cd "$root" && python3 -m infra.plan_changes "$2"); }

# within SECONDS COMMAND…: repeats it until it succeeds.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep "${YTS_PAUSE_SECONDS:-10}"
  done
}

. "$here/deploy-settings.sh"
# Tools, project, rights, the bucket of the state, the database.
. "$here/deploy-checks.sh"
. "$here/deploy-secrets.sh"

choose_client() {
  local domain id
  id="$(agreed google_oauth_client_id GOOGLE_OAUTH_CLIENT_ID)"
  if [ -z "$(setting google_oauth_client_id)" ]; then
    domain="$(setting domain)"
    say "Make an OAuth client of the type \"Web application\": $console/auth/clients?project=$project"
    say "Its redirect address: https://${domain:-web-$number.$region.run.app}/api/login/callback"
    [ -n "$id" ] || id="$(ask "Id of the OAuth client:" || true)"
    [ -n "$id" ] || die "No OAuth client. Set GOOGLE_OAUTH_CLIENT_ID, or run this in a terminal."
  fi
  check google_oauth_client_id "$id"
  keep_string google_oauth_client_id "$id"
}

# -- what an earlier `destroy` has left ------------------------------------------------------------

adopt() {
  local known name variable
  known="$(terraform_ state list 2> /dev/null || true)"
  if [ -n "$database" ] && ! grep -qx google_firestore_database.store <<< "$known"; then
    say "Taking over the database that is there."
    terraform_ import -input=false google_firestore_database.store \
      "projects/$project/databases/(default)" > /dev/null
  fi
  while read -r name <&4; do
    variable="$(sed 's/^yts-//; s/-/_/g' <<< "${name##*/}" | tr '[:lower:]' '[:upper:]')"
    grep -qxF "google_secret_manager_secret.secret[\"$variable\"]" <<< "$known" && continue
    say "Taking over the secret ${name##*/}."
    # One that this deployment does not use stays as it is.
    terraform_ import -input=false "google_secret_manager_secret.secret[\"$variable\"]" \
      "projects/$project/secrets/${name##*/}" > /dev/null 2>&1 || true
  done 4< <(gcloud secrets list --project="$project" --filter="name~yts-" --format="value(name)")
}

# -- after the deployment --------------------------------------------------------------------------

output() { terraform_ output -raw "$1"; }

reindexed() {
  local answer token
  local audience=
  [[ "$account" != *.gserviceaccount.com ]] || audience="--audiences=$(output reindex_url)"
  token="$(gcloud auth print-identity-token ${audience:+"$audience"} 2> /dev/null)" || return 1
  answer="$(curl --silent --show-error --max-time 3600 -X POST -w '\n%{http_code}' -H "Content-Length: 0" \
    --config <(bearer "$token") "$(output reindex_url)/?only=outdated")" || return 1
  last="$answer"
  [ "$(tail -n 1 <<< "$answer")" = 200 ] && ! grep -q '"error"' <<< "$answer"
}

status_of() { curl --silent --output /dev/null --max-time 60 -w '%{http_code}' "$1" || true; }
is() { last="$(status_of "$1")" && [ "$last" = "$2" ]; }

smoke() {
  local url name address
  url="$(output url)"
  step "Smoke test of $url"
  within "$wait_seconds" is "$url/api/health" 200 ||
    die "$url/api/health answers $last, and not 200. Look at the logs of the function."
  say "Every dependency answers."
  within "$wait_seconds" is "$url/" 200 || die "The page answers $last, and not 200."
  say "The page is there."
  within "$wait_seconds" is "$url/api/me" 401 ||
    die "/api/me answers $last to somebody who is not signed in, and not 401."
  say "Who is not signed in sees nothing."
  while read -r name address <&4; do
    case "$(status_of "$address")" in
      403 | 404) ;;
      *) die "The function $name can be called from the internet. Look at its ingress and its IAM." ;;
    esac
  done 4< <(terraform_ output -json internal_urls | python3 -c 'import json, sys
for name, url in sorted(json.load(sys.stdin).items()): print(name, url)')
  say "What is internal cannot be reached."
}

# Whether Google still has to make the certificate of the domain. Until then nobody can open the page.
awaits_certificate() {
  local status
  [ -n "$(setting domain)" ] || return 1
  status="$(gcloud compute ssl-certificates describe "$(output certificate)" --global --project="$project" \
    --format="value(managed.status)")" ||
    die "Google does not say whether the certificate of $(setting domain) is there. Run: deploy.sh smoke"
  [ "$status" != ACTIVE ]
}

say_what_is_awaited() {
  step "The domain"
  say "The A record of $(setting domain) has to point to $(output ip_address). Make it now, if it is not there."
  say "Google makes the certificate up to an hour after that, and only then the page can be opened."
  say "Run this in an hour: deploy.sh smoke"
}

report() {
  step "Done"
  say "The page:                    $(output url)"
  say "OAuth redirect address:      $(output redirect_address)"
  say "  Register it here:          $console/auth/clients?project=$project"
  say "US dollars a month, while nobody uses it (docs/deploying.md has the rest):"
  terraform_ output -json monthly_estimate | python3 -c 'import json, sys
found = json.load(sys.stdin)
for what, amount in sorted(found.items(), key=lambda pair: pair[0] == "total"):
    print(f"  {what:45} {amount:>5.0f}")'
}

# -- the commands ----------------------------------------------------------------------------------

prepare() {
  step "Tools, project and rights"
  check_tools
  choose_project
  check_rights
  prepare_state
  say "Project $project (number $number), region $region, as $account."
}

packages() {
  (cd "$root" && python3 -m infra.packages "$here/.packages") > /dev/null
}

deploy() {
  prepare
  compare_settings
  step "The sign-in"
  choose_client
  packages
  step "Secrets"
  [ "$command" = plan ] || adopt
  fill_secrets
  step "What will change"
  local changes=0
  terraform_ plan -input=false -detailed-exitcode -out=yts.tfplan || changes=$?
  case "$changes" in
    0) say "Nothing has to be changed." ;;
    2) ;;
    *) die "The plan could not be made: see above." ;;
  esac
  [ "$command" = apply ] || return 0
  [ "$changes" = 0 ] || ask_for_changes
  store_settings
  [ "$changes" = 0 ] || make_changes
  step "The search index"
  within "$wait_seconds" reindexed || die "The search index could not be made: ${last:-no identity token}"
  say "The search index is of this version."
  if awaits_certificate; then
    say_what_is_awaited
  else
    smoke
  fi
  report
}

ask_for_changes() {
  local away lost word=yes
  lost="$(about yts.tfplan losses)"
  away="$(about yts.tfplan away)"
  [ -z "$away" ] || say "$away"
  if [ -n "$lost" ]; then
    word="$project"
    say "This takes away, for good:"
    say "$lost"
  fi
  sure "Make these changes in $project?" "$word" && return
  [ -z "$yes" ] ||
    say "--yes takes nothing away. Run this in a terminal, or set in terraform.tfvars what was set before."
  die "Nothing was changed."
}

make_changes() {
  local end=$((SECONDS + wait_seconds)) what=yts.tfplan
  step "Deploying. The first time takes a quarter of an hour."
  until terraform_ apply -input=false "$what" 2>&1 | tee "$here/.apply.log"; do
    # What is left of the plan is tried a second time in any case.
    [ "$what" = yts.tfplan ] || { soon && [ "$SECONDS" -lt "$end" ]; } ||
      die "The deployment failed: see above. What is there stays; run this again.
A private network that is not needed any more can be deleted only two hours after the functions have left it."
    what=-auto-approve
    say "Some things are not ready at once, such as rights and metrics. Trying again in a minute."
    sleep "${YTS_PAUSE_SECONDS:-60}"
  done
}

# Whether Google says that what failed will succeed later: a metric or an identity is known only after minutes, or the
# token has ended.
soon() { grep -qiE "try again|take up to|does not exist|not (been used|ready)|has not propagated|invalid authentication cred" "$here/.apply.log"; }

destroy() {
  local each forgotten=
  prepare
  packages
  say "Functions, topics with their messages, the page and the search server will be deleted."
  sure "Take yts away from $project?" "$project" || die "Nothing was changed."
  say "The DATA are all users, transcripts and secrets. Nobody can bring them back."
  if sure "Delete the DATA as well?" "delete all data"; then
    # First, because the network may hold up the rest for hours.
    delete_database
    forgotten='^google_firestore_'
  else
    # Terraform never deletes the database. The next deployment takes it and the secrets over.
    forgotten='^google_secret_manager_secret\.secret\['
  fi
  while read -r each <&4; do
    terraform_ state rm "$each" > /dev/null
  done 4< <(terraform_ state list | grep "$forgotten" || true)
  terraform_ destroy -input=false -auto-approve ||
    die "Something is still in use, such as the private network, which functions hold for up to two hours.
Run this again then, with the same answers."
  if [ "$forgotten" = '^google_firestore_' ]; then
    say "Everything is gone but the bucket gs://$state with Terraform's state,"
    say "and the backups and snapshots of the last seven days."
  else
    say "The database and the secrets are still there. Run deploy.sh to use them again."
  fi
}

delete_database() {
  local which=(--database="(default)" --project="$project" --quiet)
  [ -n "$database" ] || return 0
  gcloud firestore databases update "${which[@]}" --no-delete-protection
  gcloud firestore databases delete "${which[@]}"
  say "The database is gone."
}

for argument in "$@"; do
  case "$argument" in
    --yes) yes=1 ;;
    apply | plan | smoke | destroy) command="$argument" ;;
    *) die "usage: deploy.sh [--yes] [apply | plan | smoke | destroy]" ;;
  esac
done
case "$command" in
  apply | plan) deploy ;;
  # On two lines: after `prepare &&`, a failure inside of it would not end the script.
  smoke)
    prepare
    if awaits_certificate; then
      say_what_is_awaited
      exit 1
    fi
    smoke
    ;;
  destroy) destroy ;;
esac
