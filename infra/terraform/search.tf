# Elasticsearch: a virtual machine with a private address, or Elastic Cloud. The index can always be built again from
# the store (reindex), so a snapshot of its disk only saves time.

locals {
  own_server        = var.elasticsearch_url == ""
  elasticsearch_url = local.own_server ? "http://${google_compute_address.search[0].address}:9200" : trimsuffix(var.elasticsearch_url, "/")
  # Types of machines: gigabytes of memory, and US dollars a month.
  machines = {
    e2-small      = { memory = 2, cost = 13 }, e2-medium = { memory = 4, cost = 25 }, e2-standard-2 = { memory = 8, cost = 49 }
    e2-standard-4 = { memory = 16, cost = 98 }, e2-standard-8 = { memory = 32, cost = 196 }
    e2-highmem-2  = { memory = 16, cost = 66 }, e2-highmem-4 = { memory = 32, cost = 132 }, e2-highmem-8 = { memory = 64, cost = 264 }
  }
  # The version of the local run, on which everything is tested.
  elasticsearch_version = coalesce(var.elasticsearch_version, regex("<elasticsearch.version>([^<]+)<", file("${path.module}/../elasticsearch/pom.xml"))[0])
  search_zone           = "${var.region}-b"
  search_configuration = templatefile("${path.module}/search.cloud-init.yaml", {
    image    = "${var.region}-docker.pkg.dev/${var.project}/yts-elastic/elasticsearch/elasticsearch:${local.elasticsearch_version}"
    registry = "${var.region}-docker.pkg.dev"
    heap_mb  = var.elasticsearch_heap_mb
  })
}

# The machine is in a subnet of its own, which has no way to the internet.
resource "google_compute_subnetwork" "search" {
  count                    = local.own_server ? 1 : 0
  project                  = local.project
  region                   = var.region
  name                     = "yts-search"
  network                  = google_compute_network.network[0].id
  ip_cidr_range            = "10.80.1.0/28"
  private_ip_google_access = true
}

resource "google_compute_address" "search" {
  count        = local.own_server ? 1 : 0
  project      = local.project
  region       = var.region
  name         = "yts-search"
  address_type = "INTERNAL"
  address      = "10.80.1.10"
  subnetwork   = google_compute_subnetwork.search[0].id
}

# Only functions reach it. Nothing else is in their subnets.
resource "google_compute_firewall" "functions_to_search" {
  count                   = local.own_server ? 1 : 0
  project                 = local.project
  name                    = "yts-functions-to-search"
  network                 = google_compute_network.network[0].id
  source_ranges           = concat(google_compute_subnetwork.functions[*].ip_cidr_range, google_compute_subnetwork.fetcher[*].ip_cidr_range)
  target_service_accounts = [google_service_account.search[0].email]
  allow {
    protocol = "tcp"
    ports    = ["9200"]
  }
}

# And operators, through Google's Identity-Aware Proxy, which asks who they are.
resource "google_compute_firewall" "operators_to_search" {
  count                   = local.own_server ? 1 : 0
  project                 = local.project
  name                    = "yts-operators-to-search"
  network                 = google_compute_network.network[0].id
  source_ranges           = ["35.235.240.0/20"]
  target_service_accounts = [google_service_account.search[0].email]
  allow {
    protocol = "tcp"
    ports    = ["22", "9200"]
  }
}

resource "google_service_account" "search" {
  count        = local.own_server ? 1 : 0
  project      = local.project
  account_id   = "yts-search-server"
  display_name = "yts: the search server"
}

resource "google_project_iam_member" "search" {
  for_each = local.own_server ? toset(["logging.logWriter", "monitoring.metricWriter"]) : []
  project  = local.project
  role     = "roles/${each.key}"
  member   = google_service_account.search[0].member
}

# The machine gets its image from here, because it has no way to the internet. Elastic's own server has no limit for
# those who do not sign in.
resource "google_artifact_registry_repository" "elastic" {
  count         = local.own_server ? 1 : 0
  project       = local.project
  location      = var.region
  repository_id = "yts-elastic"
  format        = "DOCKER"
  mode          = "REMOTE_REPOSITORY"
  description   = "A copy of images of Elastic."
  remote_repository_config {
    common_repository {
      uri = "https://docker.elastic.co"
    }
  }
}

resource "google_artifact_registry_repository_iam_member" "search" {
  count      = local.own_server ? 1 : 0
  project    = local.project
  location   = var.region
  repository = google_artifact_registry_repository.elastic[0].name
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.search[0].member
}

resource "google_compute_disk" "search" {
  count   = local.own_server ? 1 : 0
  project = local.project
  name    = "yts-search"
  zone    = local.search_zone
  type    = "pd-balanced"
  size    = var.elasticsearch_disk_gb
}

resource "google_compute_resource_policy" "snapshots" {
  count   = local.own_server ? 1 : 0
  project = local.project
  region  = var.region
  name    = "yts-search-daily"
  snapshot_schedule_policy {
    schedule {
      daily_schedule {
        days_in_cycle = 1
        start_time    = "03:00"
      }
    }
    retention_policy {
      max_retention_days    = 7
      on_source_disk_delete = "APPLY_RETENTION_POLICY"
    }
  }
}

resource "google_compute_disk_resource_policy_attachment" "snapshots" {
  count   = local.own_server ? 1 : 0
  project = local.project
  zone    = local.search_zone
  disk    = google_compute_disk.search[0].name
  name    = google_compute_resource_policy.snapshots[0].name
}

# Another version, heap or size of the disk makes another machine. The disk goes over to it, and its file system grows.
resource "terraform_data" "search_configuration" {
  count = local.own_server ? 1 : 0
  input = sha256("${local.search_configuration} ${var.elasticsearch_disk_gb}")
}

resource "google_compute_instance" "search" {
  count                     = local.own_server ? 1 : 0
  project                   = local.project
  name                      = "yts-search"
  zone                      = local.search_zone
  machine_type              = var.elasticsearch_machine
  allow_stopping_for_update = true

  boot_disk {
    initialize_params {
      image = "projects/cos-cloud/global/images/family/cos-stable"
      size  = 10
    }
  }
  attached_disk {
    source      = google_compute_disk.search[0].id
    device_name = "search"
  }
  network_interface {
    subnetwork = google_compute_subnetwork.search[0].id
    network_ip = google_compute_address.search[0].address
  }
  service_account {
    email  = google_service_account.search[0].email
    scopes = ["cloud-platform"]
  }
  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }
  metadata = {
    user-data                 = local.search_configuration
    google-logging-enabled    = "true"
    google-monitoring-enabled = "true"
    enable-oslogin            = "TRUE"
    block-project-ssh-keys    = "true"
  }
  lifecycle {
    replace_triggered_by = [terraform_data.search_configuration]
  }

  depends_on = [google_artifact_registry_repository_iam_member.search]
}
