# The functions: their source, how it is built, and how it runs.

locals {
  package = { for name, each in local.functions : name => "${path.module}/${var.packages}/${each.entry_point}.zip" }
  digest  = { for name, path in local.package : name => fileexists(path) ? filesha256(path) : "missing" }

  # The values of the variables that pipeline.yaml names. An empty one is not set.
  settings = {
    PUBLIC_URL              = local.address
    GOOGLE_OAUTH_CLIENT_ID  = var.google_oauth_client_id
    ALLOWED_USERS           = join(",", length(var.allowed_users) > 0 ? [for each in var.allowed_users : lower(each)] : local.operators)
    OPERATORS               = join(",", local.operators)
    FETCH_CONCURRENCY       = tostring(var.fetch_concurrency)
    EGRESS_NAME             = var.egress
    PROXY_MODE              = var.egress == "proxy" ? "always" : "when-blocked"
    WEBSHARE_PROXY_USERNAME = var.webshare_proxy_username
    TRANSCRIPT_LANGUAGES    = join(",", var.transcript_languages)
  }
  environment = { for name, each in local.functions : name => merge(
    local.pipeline.environment,
    var.environment,
    {
      GOOGLE_CLOUD_PROJECT = var.project
      # gunicorn makes a socket there. One thread serves one request.
      XDG_RUNTIME_DIR = "/tmp"
      THREADS         = tostring(each.concurrency)
    },
    each.elasticsearch ? { ELASTICSEARCH_URL = local.elasticsearch_url } : {},
    { for key in each.environment : key => local.settings[key] if local.settings[key] != "" },
  ) }
}

resource "google_storage_bucket" "source" {
  project                     = local.project
  name                        = "${var.project}-yts-source"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
    }
  }
  versioning {
    enabled = true
  }
}

# The name holds the content's hash: the same source is not built again.
resource "google_storage_bucket_object" "source" {
  for_each = local.functions
  bucket   = google_storage_bucket.source.name
  name     = "${each.key}-${substr(local.digest[each.key], 0, 16)}.zip"
  source   = local.package[each.key]

  lifecycle {
    precondition {
      condition     = local.digest[each.key] != "missing"
      error_message = "There is no ${local.package[each.key]}. Run `python3 -m infra.packages infra/terraform/${var.packages}` first, or deploy.sh."
    }
  }
}

resource "google_artifact_registry_repository" "images" {
  project       = local.project
  location      = var.region
  repository_id = "yts-functions"
  format        = "DOCKER"
  description   = "The images of the functions."
  cleanup_policies {
    id     = "keep-the-newest"
    action = "KEEP"
    most_recent_versions {
      keep_count = 2
    }
  }
  cleanup_policies {
    id     = "delete-the-rest"
    action = "DELETE"
    condition {
      older_than = "604800s"
    }
  }
}

resource "google_cloudfunctions2_function" "function" {
  for_each    = local.functions
  project     = local.project
  name        = each.key
  location    = var.region
  description = "yts ${each.key}"

  build_config {
    runtime           = "python311"
    entry_point       = each.value.entry_point
    service_account   = google_service_account.build.id
    docker_repository = google_artifact_registry_repository.images.id
    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source[each.key].name
      }
    }
  }

  service_config {
    service_account_email = google_service_account.function[each.key].email
    available_memory      = "${each.value.memory_mb}Mi"
    # By default a function gets a part of a processor, and then one request at a time.
    available_cpu                    = "1"
    max_instance_request_concurrency = each.value.concurrency
    max_instance_count               = each.value.instances
    min_instance_count               = contains(local.warm, each.key) ? var.warm_instances : 0
    timeout_seconds                  = each.value.timeout
    ingress_settings                 = local.ingress[each.key]
    environment_variables            = local.environment[each.key]
    all_traffic_on_latest_revision   = true

    dynamic "secret_environment_variables" {
      for_each = each.value.secrets
      content {
        key        = secret_environment_variables.value
        project_id = var.project
        secret     = google_secret_manager_secret.secret[secret_environment_variables.value].secret_id
        version    = lookup(var.secret_versions, secret_environment_variables.value, "latest")
      }
    }

    direct_vpc_egress = contains(local.networked, each.key) ? local.vpc_egress[each.key] : null
    dynamic "direct_vpc_network_interface" {
      for_each = contains(local.networked, each.key) ? [local.subnet[each.key]] : []
      content {
        network    = google_compute_network.network[0].name
        subnetwork = direct_vpc_network_interface.value
      }
    }
  }

  lifecycle {
    # Another edge has other functions. The old one serves until they are there.
    create_before_destroy = true
    precondition {
      condition     = can(regex("^[a-z][a-z0-9-]{0,61}[a-z0-9]$", each.key))
      error_message = "The name of a function has lower-case letters, digits and hyphens, and this is not one: ${each.key}."
    }
  }

  # A function that may not read its secret or its index is deployed, and fails.
  depends_on = [
    google_secret_manager_secret_iam_member.reader,
    google_firestore_index.composite,
    google_firestore_field.expiring,
    google_project_iam_member.store,
    google_project_iam_member.build,
    google_compute_router_nat.nat,
  ]
}

locals {
  # What a person waits for.
  warm = toset(local.single_origin ? ["web"] : ["account", "jobs", "library", "search"])
  ingress = { for name, each in local.functions : name =>
    # The operator calls reindex from anywhere; IAM says who may.
    name == "reindex" ? "ALLOW_ALL" :
    !contains(local.public, name) ? "ALLOW_INTERNAL_ONLY" :
    local.single_origin ? "ALLOW_ALL" : "ALLOW_INTERNAL_AND_GCLB"
  }
}
