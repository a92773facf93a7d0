# What deploy.sh prints and uses.

locals {
  # US dollars a month of what costs money also while nobody uses it. List prices, to be read as "about".
  fixed_costs = {
    "load balancer"                                          = local.single_origin ? 0 : 18
    "address of the way to YouTube"                          = local.nat ? 5 : 0
    "search server (${var.elasticsearch_machine})"           = !local.own_server ? 0 : try(local.machines[var.elasticsearch_machine].cost, 50)
    "its disks and snapshots"                                = local.own_server ? ceil((var.elasticsearch_disk_gb + 10) * 0.13) : 0
    "${var.warm_instances} warm instances of what is public" = var.warm_instances * length(local.warm) * 10
    "secrets, images, alerts"                                = 1
  }
}

output "url" {
  description = "The address of the page."
  value       = local.address
}

output "redirect_address" {
  description = "To be registered in the OAuth client."
  value       = "${local.address}/api/login/callback"
}

output "ip_address" {
  description = "Where the A record of the domain has to point."
  value       = local.single_origin ? null : google_compute_global_address.site[0].address
}

output "certificate" {
  description = "The certificate of the domain, which Google makes when the A record is there."
  value       = local.single_origin ? null : google_compute_managed_ssl_certificate.site[0].name
}

output "youtube_sees" {
  description = "The address from which YouTube is asked."
  value       = local.nat ? google_compute_address.nat[0].address : null
}

output "reindex_url" {
  description = "Where the operator rebuilds the search index."
  value       = google_cloudfunctions2_function.function["reindex"].service_config[0].uri
}

output "internal_urls" {
  description = "Functions that nobody reaches from outside."
  value       = { for name, each in google_cloudfunctions2_function.function : name => each.service_config[0].uri if local.ingress[name] == "ALLOW_INTERNAL_ONLY" }
}

output "secrets" {
  description = "The name of each secret, by its variable."
  value       = { for variable, each in google_secret_manager_secret.secret : variable => each.secret_id }
}

output "worker" {
  description = "The service account and subscription of a worker at home."
  value       = length(local.pull) == 0 ? null : { service_account = google_service_account.worker[0].email, subscription = keys(local.pull)[0] }
}

output "monthly_estimate" {
  description = "US dollars a month while nobody uses it."
  value       = merge({ for what, amount in local.fixed_costs : what => amount if amount > 0 }, { total = sum(values(local.fixed_costs)) })
}
