# Empty secrets. deploy.sh adds the values, so that none is ever in Terraform's state.

locals {
  unused_secrets = toset(concat(
    # The virtual machine is reached by nobody else, and knows no keys.
    local.own_server ? ["ELASTICSEARCH_API_KEY"] : [],
    var.egress == "proxy" && var.webshare_proxy_username == "" ? [] : ["PROXY_URL"],
    var.egress == "proxy" && var.webshare_proxy_username != "" ? [] : ["WEBSHARE_PROXY_PASSWORD"],
  ))
  secrets = toset(flatten([for each in local.functions : tolist(each.secrets)]))
  readers = merge([for name, each in local.functions : { for secret in each.secrets : "${name} ${secret}" => { function = name, secret = secret } }]...)
}

resource "google_secret_manager_secret" "secret" {
  for_each  = local.secrets
  project   = local.project
  secret_id = "yts-${lower(replace(each.key, "_", "-"))}"
  labels    = { variable = lower(each.key) }
  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
  # The functions let go of a secret before it is destroyed.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each  = local.readers
  project   = local.project
  secret_id = google_secret_manager_secret.secret[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member
  lifecycle {
    create_before_destroy = true
  }
}
