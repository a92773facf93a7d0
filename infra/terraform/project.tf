# What is read from pipeline.yaml, the APIs, and the identities.

locals {
  pipeline = yamldecode(file("${path.module}/../pipeline.yaml"))

  # Without a domain, `web` takes the place of all functions with routes.
  single_origin = var.domain == ""
  routed        = { for name, each in local.pipeline.functions : name => each.cloud if can(each.routes) }
  described = merge(
    { for name, each in local.pipeline.functions : name => {
      entry_point   = name
      trigger       = each.trigger
      routes        = tolist(try(each.routes, []))
      memory_mb     = each.memory_mb
      timeout       = each.timeout_seconds
      concurrency   = each.cloud.concurrency
      instances     = each.cloud.instances
      store         = try(each.cloud.store, "none")
      elasticsearch = try(each.cloud.elasticsearch, false)
      publishes     = toset(try(each.cloud.publishes, []))
      inspects      = toset(try(each.cloud.inspects, []))
      secrets       = toset(try(each.cloud.secrets, []))
      environment   = toset(try(each.cloud.environment, []))
    } },
    { web = {
      entry_point   = "web"
      trigger       = "http"
      routes        = tolist(flatten([for each in local.pipeline.functions : try(each.routes, [])]))
      memory_mb     = local.pipeline.web.memory_mb
      timeout       = local.pipeline.web.timeout_seconds
      concurrency   = local.pipeline.web.concurrency
      instances     = local.pipeline.web.instances
      store         = contains([for each in local.routed : try(each.store, "none")], "user") ? "user" : "viewer"
      elasticsearch = anytrue([for each in local.routed : try(each.elasticsearch, false)])
      publishes     = toset(flatten([for each in local.routed : try(each.publishes, [])]))
      inspects      = toset(flatten([for each in local.routed : try(each.inspects, [])]))
      secrets       = toset(flatten([for each in local.routed : try(each.secrets, [])]))
      environment   = toset(flatten([for each in local.routed : try(each.environment, [])]))
    } },
  )
  # The functions of this deployment by their names in the cloud, where no name has an underscore.
  functions = {
    for name, each in local.described : replace(name, "_", "-") => merge(each, { secrets = setsubtract(each.secrets, local.unused_secrets) })
    if local.single_origin ? (name == "web" || length(each.routes) == 0) : name != "web"
  }
  public = toset([for name, each in local.functions : name if length(each.routes) > 0])
  pushed = toset([for name, each in local.functions : name if each.trigger == "pubsub"])

  number  = data.google_project.this.number
  address = local.single_origin ? "https://web-${local.number}.${var.region}.run.app" : "https://${var.domain}"

  apis = toset([
    "artifactregistry", "cloudbuild", "cloudfunctions", "cloudresourcemanager", "cloudscheduler", "compute", "firestore",
    "iam", "iamcredentials", "iap", "logging", "monitoring", "pubsub", "run", "secretmanager", "storage", "youtube",
  ])
  # Whoever names the project by this has to wait until the APIs are switched on.
  project = one(distinct([for each in google_project_service.api : each.project]))
}

data "google_project" "this" {
  project_id = var.project
}

resource "google_project_service" "api" {
  for_each           = setunion(local.apis, var.billing_account == "" ? [] : ["billingbudgets"])
  project            = var.project
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

# One identity for each function, and nothing is done with the default ones. A name has 6 to 30 characters.
resource "google_service_account" "function" {
  for_each     = local.functions
  project      = local.project
  account_id   = "yts-${each.key}"
  display_name = "yts: function ${each.key}"
}

resource "google_service_account" "push" {
  project      = local.project
  account_id   = "yts-push"
  display_name = "yts: Pub/Sub calls functions as this"
}

resource "google_service_account" "scheduler" {
  project      = local.project
  account_id   = "yts-scheduler"
  display_name = "yts: the scheduler calls functions as this"
}

resource "google_service_account" "build" {
  project      = local.project
  account_id   = "yts-build"
  display_name = "yts: functions are built as this"
}
