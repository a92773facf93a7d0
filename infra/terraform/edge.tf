# With a domain: a load balancer, the page in a bucket, and each route at its function. Without one there is nothing
# here: `web` serves the page and all routes at its own address.

locals {
  balanced = local.single_origin ? toset([]) : local.public
  page     = local.single_origin ? toset([]) : toset([for file in fileset("${path.module}/../../frontend", "**") : file if contains(keys(local.content_types), reverse(split(".", file))[0]) && !startswith(basename(file), ".")])
  content_types = {
    css = "text/css; charset=utf-8", html = "text/html; charset=utf-8", ico = "image/x-icon", jpg = "image/jpeg"
    js  = "text/javascript; charset=utf-8", json = "application/json", mjs = "text/javascript; charset=utf-8", png = "image/png"
    svg = "image/svg+xml", txt = "text/plain; charset=utf-8", webmanifest = "application/manifest+json", woff2 = "font/woff2"
  }
  player  = lookup(var.environment, "YOUTUBE_EMBED_BASE_URL", "https://www.youtube-nocookie.com")
  headers = jsondecode(file("${path.module}/../headers.json"))

  # The longest route first: it counts. A * stands for one segment.
  routes = [for each in reverse(sort(flatten([for name in local.balanced : [
    for route in local.functions[name].routes : format("%03d %s %s", length(route), route, name)
  ]]))) : { path = split(" ", each)[1], function = split(" ", each)[2] }]
}

resource "google_storage_bucket" "page" {
  count                       = local.single_origin ? 0 : 1
  project                     = local.project
  name                        = "${var.project}-yts-page"
  location                    = var.region
  uniform_bucket_level_access = true
  force_destroy               = true
  website {
    main_page_suffix = "index.html"
    not_found_page   = "index.html"
  }
}

resource "google_storage_bucket_object" "page" {
  for_each      = local.page
  bucket        = google_storage_bucket.page[0].name
  name          = each.key
  source        = "${path.module}/../../frontend/${each.key}"
  content_type  = lookup(local.content_types, reverse(split(".", each.key))[0], "application/octet-stream")
  cache_control = "no-cache"
}

# The page holds nothing about anybody.
resource "google_storage_bucket_iam_member" "page" {
  count  = length(google_storage_bucket.page)
  bucket = google_storage_bucket.page[0].name
  role   = "roles/storage.objectViewer"
  member = "allUsers"
}

resource "google_compute_backend_bucket" "page" {
  count       = local.single_origin ? 0 : 1
  project     = local.project
  name        = "yts-page"
  bucket_name = google_storage_bucket.page[0].name
  custom_response_headers = concat(
    ["Strict-Transport-Security: max-age=31536000"],
    [for name, value in local.headers.headers : "${name}: ${replace(replace(value, "{images}", "${local.headers.images} ${local.player}"), "{player}", local.player)}"],
  )
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each              = local.balanced
  project               = local.project
  region                = var.region
  name                  = "yts-${each.key}"
  network_endpoint_type = "SERVERLESS"
  cloud_run {
    service = google_cloudfunctions2_function.function[each.key].name
  }
}

resource "google_compute_backend_service" "function" {
  for_each              = local.balanced
  project               = local.project
  name                  = "yts-${each.key}"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  backend {
    group = google_compute_region_network_endpoint_group.function[each.key].id
  }
}

resource "google_compute_url_map" "site" {
  count           = local.single_origin ? 0 : 1
  project         = local.project
  name            = "yts"
  default_service = google_compute_backend_bucket.page[0].id

  host_rule {
    hosts        = [var.domain]
    path_matcher = "site"
  }

  path_matcher {
    name            = "site"
    default_service = google_compute_backend_bucket.page[0].id

    dynamic "route_rules" {
      for_each = local.routes
      content {
        priority = route_rules.key + 1
        service  = google_compute_backend_service.function[route_rules.value.function].id
        dynamic "match_rules" {
          for_each = strcontains(route_rules.value.path, "*") ? [route_rules.value.path] : []
          content {
            path_template_match = match_rules.value
          }
        }
        dynamic "match_rules" {
          for_each = strcontains(route_rules.value.path, "*") ? [] : [route_rules.value.path]
          content {
            full_path_match = match_rules.value
          }
        }
        dynamic "match_rules" {
          for_each = strcontains(route_rules.value.path, "*") ? [] : [route_rules.value.path]
          content {
            prefix_match = "${match_rules.value}/"
          }
        }
      }
    }

    # Every other path of the API gets the API's answer: there is no such thing.
    route_rules {
      priority = length(local.routes) + 1
      service  = google_compute_backend_service.function["health"].id
      match_rules {
        prefix_match = "/api/"
      }
    }
  }
  # Who came by the old edge is let in until the new one is there.
  depends_on = [google_cloud_run_v2_service_iam_member.everybody]
}

resource "google_compute_url_map" "to_https" {
  count   = local.single_origin ? 0 : 1
  project = local.project
  name    = "yts-to-https"
  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

resource "google_compute_managed_ssl_certificate" "site" {
  count   = local.single_origin ? 0 : 1
  project = local.project
  name    = "yts-${substr(sha256(var.domain), 0, 8)}"
  managed {
    domains = [var.domain]
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_ssl_policy" "site" {
  count           = local.single_origin ? 0 : 1
  project         = local.project
  name            = "yts"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "site" {
  count            = local.single_origin ? 0 : 1
  project          = local.project
  name             = "yts"
  url_map          = google_compute_url_map.site[0].id
  ssl_certificates = [google_compute_managed_ssl_certificate.site[0].id]
  ssl_policy       = google_compute_ssl_policy.site[0].id
}

resource "google_compute_target_http_proxy" "to_https" {
  count   = local.single_origin ? 0 : 1
  project = local.project
  name    = "yts-to-https"
  url_map = google_compute_url_map.to_https[0].id
}

resource "google_compute_global_address" "site" {
  count   = local.single_origin ? 0 : 1
  project = local.project
  name    = "yts"
}

resource "google_compute_global_forwarding_rule" "https" {
  count                 = local.single_origin ? 0 : 1
  project               = local.project
  name                  = "yts-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.site[0].id
  port_range            = "443"
  target                = google_compute_target_https_proxy.site[0].id
}

resource "google_compute_global_forwarding_rule" "http" {
  count                 = local.single_origin ? 0 : 1
  project               = local.project
  name                  = "yts-http"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.site[0].id
  port_range            = "80"
  target                = google_compute_target_http_proxy.to_https[0].id
}
