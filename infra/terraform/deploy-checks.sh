# shellcheck shell=bash
# What deploy.sh needs before it changes anything. Each function ends the script with a sentence that names
# what is missing.

check_tools() {
  local tool
  for tool in terraform gcloud python3 curl; do
    command -v "$tool" > /dev/null ||
      die "The program $tool is missing. docs/deploying.md says where it comes from."
  done
  account="$(gcloud config get-value account 2> /dev/null)" || account=
  [ -n "$account" ] && [ "$account" != "(unset)" ] || die "gcloud has no account. Run: gcloud auth login"
  # Terraform uses this, too. It is valid for an hour.
  GOOGLE_OAUTH_ACCESS_TOKEN="$(gcloud auth print-access-token 2> /dev/null)" ||
    die "gcloud's sign-in of $account has ended. Run: gcloud auth login"
  export GOOGLE_OAUTH_ACCESS_TOKEN
}

choose_project() {
  project="$(setting project)"
  if [ -z "$project" ]; then
    project="${YTS_PROJECT:-$(ask "Id of the Google Cloud project:" || true)}"
    [ -n "$project" ] || die "No project. Set YTS_PROJECT, or run this in a terminal."
    chosen=1
  fi
  number="$(gcloud projects describe "$project" --format="value(projectNumber)" 2> /dev/null)" ||
    die "There is no project $project, or $account may not see it. Make it: gcloud projects create $project"
  region="$(setting region)"
  region="${region:-${YTS_REGION:-europe-west1}}"
  if [ -n "${chosen:-}" ]; then
    keep "project = \"$project\""
    [ -n "$(setting region)" ] || keep "region = \"$region\""
    grep -qs '^operators' "$settings" || keep "operators = [\"$account\"]"
  fi
}

check_rights() {
  local billing needed missing
  billing="$(gcloud billing projects describe "$project" --format="value(billingEnabled)")" || true
  [ "$billing" = True ] ||
    die "The project $project has no billing account, or $account may not see it. Link one:
$console/billing/linkedaccount?project=$project"
  gcloud services enable serviceusage.googleapis.com cloudresourcemanager.googleapis.com \
    cloudbilling.googleapis.com iam.googleapis.com pubsub.googleapis.com storage.googleapis.com \
    secretmanager.googleapis.com --project="$project" --quiet ||
    die "$account may not switch on APIs in $project: it needs the role Owner there."
  needed="resourcemanager.projects.setIamPolicy serviceusage.services.enable iam.serviceAccounts.create
    storage.buckets.create secretmanager.secrets.create pubsub.topics.create cloudfunctions.functions.create
    run.services.setIamPolicy datastore.databases.create"
  local projects=https://cloudresourcemanager.googleapis.com/v1/projects
  missing="$(google POST "$projects/$project:testIamPermissions" \
    "$(python3 -c 'import json, sys; print(json.dumps({"permissions": sys.argv[1:]}))' $needed)" |
    python3 -c 'import json, sys
granted = json.load(sys.stdin).get("permissions", [])
print(" ".join(each for each in sys.argv[1:] if each not in granted))' $needed)"
  [ -z "$missing" ] || die "$account lacks rights in $project: $missing
The role Owner has all of them."
  # Pub/Sub's own identity. It gets rights before Pub/Sub is used for the first time.
  local pubsub="https://serviceusage.googleapis.com/v1beta1/projects/$number/services/pubsub.googleapis.com"
  google POST "$pubsub:generateServiceIdentity" "{}" > /dev/null
}

prepare_state() {
  state="$project-yts-terraform"
  if ! gcloud storage buckets describe "gs://$state" --project="$project" > /dev/null 2>&1; then
    say "Making the bucket gs://$state for Terraform's state."
    gcloud storage buckets create "gs://$state" --project="$project" --location="$region" \
      --uniform-bucket-level-access --public-access-prevention --quiet
    gcloud storage buckets update "gs://$state" --versioning --quiet
  fi
  terraform_ init -input=false -reconfigure -backend-config="bucket=$state" > /dev/null
}

