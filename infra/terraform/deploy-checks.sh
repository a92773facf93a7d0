# shellcheck shell=bash
# What deploy.sh needs before it changes anything. Each function ends the script with a sentence that names
# what is missing.

check_tools() {
  local tool version
  for tool in terraform gcloud python3 curl; do
    command -v "$tool" > /dev/null ||
      die "The program $tool is missing. docs/deploying.md says where it comes from."
  done
  # As in versions.tf. Cloud Shell may have an older one.
  version="$(terraform version -json | python3 -c 'import json, sys
print(json.load(sys.stdin)["terraform_version"])')" || die "terraform does not say which version it is."
  grep -qE '^(1\.(9|[1-9][0-9])|[2-9])\.' <<< "$version" ||
    die "Terraform is of version $version, and has to be 1.9 or newer: https://developer.hashicorp.com/terraform/install"
  account="$(gcloud config get-value account 2> /dev/null)" || account=
  [ -n "$account" ] && [ "$account" != "(unset)" ] || die "gcloud has no account. Run: gcloud auth login"
  renew_token
}

choose_project() {
  project="$(agreed project YTS_PROJECT)"
  [ -n "$project" ] || project="$(ask "Id of the Google Cloud project:" || true)"
  [ -n "$project" ] || die "No project. Set YTS_PROJECT, or run this in a terminal."
  check project "$project"
  number="$(gcloud projects describe "$project" --format="value(projectNumber)" 2> /dev/null)" ||
    die "There is no project $project, or $account may not see it. Make it: gcloud projects create $project"
  state="$project-yts-terraform"
}

# answered METHOD URL BODY: whether the API answers without an error. `answer` is what it says.
answered() {
  answer="$(google "$@")" && ! grep -q '"error"' <<< "$answer"
}

check_rights() {
  local billing needed missing
  billing="$(gcloud billing projects describe "$project" --format="value(billingEnabled)")" || true
  [ "$billing" = True ] ||
    die "The project $project has no billing account, or $account may not see it. Link one:
$console/billing/linkedaccount?project=$project"
  gcloud services enable serviceusage.googleapis.com cloudresourcemanager.googleapis.com \
    cloudbilling.googleapis.com iam.googleapis.com pubsub.googleapis.com storage.googleapis.com \
    secretmanager.googleapis.com firestore.googleapis.com --project="$project" --quiet ||
    die "$account may not switch on APIs in $project: it needs the role Owner there."
  needed="resourcemanager.projects.setIamPolicy serviceusage.services.enable iam.serviceAccounts.create
    storage.buckets.create secretmanager.secrets.create pubsub.topics.create cloudfunctions.functions.create
    run.services.setIamPolicy datastore.databases.create"
  # An API answers some time after it was switched on.
  within "${YTS_WAIT_SECONDS:-180}" answered POST \
    "https://cloudresourcemanager.googleapis.com/v1/projects/$project:testIamPermissions" \
    "$(python3 -c 'import json, sys; print(json.dumps({"permissions": sys.argv[1:]}))' $needed)" ||
    die "Google does not say which rights $account has in $project: $answer"
  missing="$(python3 -c 'import json, sys
granted = json.load(sys.stdin).get("permissions", [])
print(" ".join(each for each in sys.argv[1:] if each not in granted))' $needed <<< "$answer")"
  [ -z "$missing" ] || die "$account lacks rights in $project: $missing
The role Owner has all of them."
  # Pub/Sub's own identity. It gets rights before Pub/Sub is used for the first time.
  local pubsub="https://serviceusage.googleapis.com/v1beta1/projects/$number/services/pubsub.googleapis.com"
  within "${YTS_WAIT_SECONDS:-180}" answered POST "$pubsub:generateServiceIdentity" "{}" ||
    die "Pub/Sub gets no identity in $project: $answer"
}

# Settings are written down only when Google has accepted them.
prepare_state() {
  local known=
  if gcloud storage buckets describe "gs://$state" --project="$project" > /dev/null 2>&1; then
    known=1
    take_settings
  fi
  region="$(agreed region YTS_REGION)"
  region="${region:-europe-west1}"
  check region "$region"
  check_database
  if [ -z "$known" ]; then
    say "Making the bucket gs://$state for Terraform's state."
    gcloud storage buckets create "gs://$state" --project="$project" --location="$region" \
      --uniform-bucket-level-access --public-access-prevention --quiet ||
      die "The bucket cannot be made in $region: see above."
  fi
  gcloud storage buckets update "gs://$state" --versioning --quiet > /dev/null 2>&1 ||
    die "The bucket gs://$state cannot be made to keep old versions. Try again."
  keep_string project "$project"
  keep_string region "$region"
  choose_operators
  # The stored version of the provider may be older than versions.tf wants.
  terraform_ init -input=false -reconfigure -backend-config="bucket=$state" > /dev/null ||
    terraform_ init -input=false -reconfigure -upgrade -backend-config="bucket=$state" > /dev/null
}

# The one thing that can never be moved. `database`: its place and its type, or nothing if there is none.
check_database() {
  local place type
  database="$(gcloud firestore databases list --project="$project" --filter="name~/\(default\)$" \
    --format="value(locationId,type)" --quiet)" ||
    die "Google does not say whether $project has a database: see above. Run this again."
  [ -n "$database" ] || return 0
  read -r place type <<< "$database"
  [ "$type" = FIRESTORE_NATIVE ] ||
    die "The database of $project is of the type $type, which yts cannot use. Take another project."
  [ "$place" = "$region" ] ||
    die "The database of $project is in $place and cannot be moved. Set region = \"$place\" in terraform.tfvars, or
take another project."
}

# People who run this. A service account may deploy, but it cannot sign in and reads no mail.
choose_operators() {
  local each list= given="${YTS_OPERATORS:-}"
  if grep -qs '^operators' "$settings"; then
    for each in ${given//,/ }; do
      grep -A 20 '^operators' "$settings" | grep -qiF "\"$each\"" ||
        die "YTS_OPERATORS names $each, but operators in terraform.tfvars does not. Change one of them."
    done
    return
  fi
  if [[ "$account" == *.gserviceaccount.com ]]; then
    [ -n "$given" ] || die "$account is a service account. Set YTS_OPERATORS to the addresses of people who run this,
separated by commas. They see the operator's page, and get the alerts."
    given="$given,$account"
  fi
  for each in $(tr ',' ' ' <<< "${given:-$account}"); do
    check operators "$each"
    list="$list${list:+, }\"$each\""
  done
  keep "operators = [$list]"
}
