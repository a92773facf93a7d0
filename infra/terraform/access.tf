# Who may do what. pipeline.yaml says what each function needs, and it gets nothing else.

locals {
  publishers = merge([for name, each in local.functions : { for topic in each.publishes : "${name} ${topic}" => { function = name, topic = topic } }]...)
  inspectors = merge([for name, each in local.functions : { for topic in each.inspects : "${name} ${topic}" => { function = name, topic = topic } }]...)
}

# -- the store -------------------------------------------------------------------------------------

resource "google_project_iam_member" "store" {
  for_each = { for name, each in local.functions : name => each.store if each.store != "none" }
  project  = local.project
  role     = "roles/datastore.${each.value}"
  member   = google_service_account.function[each.key].member
  condition {
    title      = "only the database of yts"
    expression = "resource.name == \"projects/${var.project}/databases/(default)\""
  }
}

# -- topics ----------------------------------------------------------------------------------------

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = local.publishers
  project  = local.project
  topic    = google_pubsub_topic.topic[each.value.topic].name
  role     = "roles/pubsub.publisher"
  member   = google_service_account.function[each.value.function].member
}

resource "google_pubsub_topic_iam_member" "inspector" {
  for_each = local.inspectors
  project  = local.project
  topic    = google_pubsub_topic.topic[each.value.topic].name
  role     = "roles/pubsub.viewer"
  member   = google_service_account.function[each.value.function].member
}

# -- calls. The right is one on the service behind the function: run.invoker. ----------------------

# Everybody may call what has routes. The code asks who they are.
resource "google_cloud_run_v2_service_iam_member" "everybody" {
  for_each = local.public
  project  = local.project
  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers"
  # As the functions.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.pushed
  project  = local.project
  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}

resource "google_cloud_run_v2_service_iam_member" "scheduler" {
  for_each = toset([for each in local.pipeline.schedules : each.function])
  project  = local.project
  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler.member
}

resource "google_cloud_run_v2_service_iam_member" "operator" {
  for_each = toset(local.operators)
  project  = local.project
  location = var.region
  name     = google_cloudfunctions2_function.function["reindex"].name
  role     = "roles/run.invoker"
  member   = "${contains(local.people, each.key) ? "user" : "serviceAccount"}:${each.key}"
}

# Pub/Sub makes the tokens with which it calls.
resource "google_service_account_iam_member" "pubsub_agent_makes_tokens" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
  # Pub/Sub has no identity before the project has a topic.
  depends_on = [google_pubsub_topic.topic]
}

# -- builds ----------------------------------------------------------------------------------------

resource "google_project_iam_member" "build" {
  for_each = toset(["logging.logWriter", "artifactregistry.writer", "storage.objectViewer"])
  project  = local.project
  role     = "roles/${each.key}"
  member   = google_service_account.build.member
}

# -- the worker at home ----------------------------------------------------------------------------

resource "google_service_account" "worker" {
  count        = length(local.pull) > 0 ? 1 : 0
  project      = local.project
  account_id   = "yts-home-worker"
  display_name = "yts: a worker at home"
}

resource "google_pubsub_subscription_iam_member" "worker" {
  for_each     = toset(keys(local.pull))
  project      = local.project
  subscription = google_pubsub_subscription.subscription[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.worker[0].member
}

# It may do what the fetcher may.
resource "google_pubsub_topic_iam_member" "worker" {
  for_each = length(local.pull) > 0 ? local.functions["fetcher"].publishes : []
  project  = local.project
  topic    = google_pubsub_topic.topic[each.key].name
  role     = "roles/pubsub.publisher"
  member   = google_service_account.worker[0].member
}

resource "google_project_iam_member" "worker" {
  count   = length(google_service_account.worker)
  project = local.project
  role    = "roles/datastore.user"
  member  = google_service_account.worker[0].member
  condition {
    title      = "only the database of yts"
    expression = "resource.name == \"projects/${var.project}/databases/(default)\""
  }
}
