# The private network, and the address that YouTube sees. With a proxy and Elastic Cloud there is neither.

locals {
  nat     = var.egress == "nat"
  network = local.nat || local.own_server
  # Functions that ask the virtual machine, and the fetcher, whose requests to YouTube leave by the address.
  networked  = toset([for name, each in local.functions : name if(local.own_server && each.elasticsearch) || (local.nat && name == "fetcher")])
  vpc_egress = { for name in local.networked : name => local.nat && name == "fetcher" ? "VPC_EGRESS_ALL_TRAFFIC" : "VPC_EGRESS_PRIVATE_RANGES_ONLY" }
  subnet     = { for name in local.networked : name => local.nat && name == "fetcher" ? one(google_compute_subnetwork.fetcher[*].name) : one(google_compute_subnetwork.functions[*].name) }
}

resource "google_compute_network" "network" {
  count                   = local.network ? 1 : 0
  project                 = local.project
  name                    = "yts"
  auto_create_subnetworks = false
  # The functions let go of the network before it is destroyed.
  lifecycle {
    create_before_destroy = true
  }
}

# Addresses of functions: 2 to 4 for an instance, in blocks of 16, and held for up to 20 minutes after it has ended. Two
# revisions exist side by side during a deployment. infra/plan_check.py looks whether there are enough: a subnet can
# grow, but not move (https://cloud.google.com/run/docs/configuring/vpc-direct-vpc#ip-allocation).
resource "google_compute_subnetwork" "functions" {
  count                    = local.own_server ? 1 : 0
  project                  = local.project
  region                   = var.region
  name                     = "yts-functions"
  network                  = google_compute_network.network[0].id
  ip_cidr_range            = "10.80.4.0/22"
  private_ip_google_access = true
  lifecycle {
    create_before_destroy = true
  }
}

# What leaves by the address is alone in its subnet. Others there would take ports of the address.
resource "google_compute_subnetwork" "fetcher" {
  count                    = local.nat ? 1 : 0
  project                  = local.project
  region                   = var.region
  name                     = "yts-fetcher"
  network                  = google_compute_network.network[0].id
  ip_cidr_range            = "10.80.2.0/26"
  private_ip_google_access = true
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_address" "nat" {
  count   = local.nat ? 1 : 0
  project = local.project
  region  = var.region
  name    = "yts-nat"
}

resource "google_compute_router" "nat" {
  count   = local.nat ? 1 : 0
  project = local.project
  region  = var.region
  name    = "yts"
  network = google_compute_network.network[0].id
}

resource "google_compute_router_nat" "nat" {
  count                              = local.nat ? 1 : 0
  project                            = local.project
  region                             = var.region
  name                               = "yts"
  router                             = google_compute_router.nat[0].name
  nat_ip_allocate_option             = "MANUAL_ONLY"
  nat_ips                            = [google_compute_address.nat[0].id]
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"
  # All videos come from few addresses of YouTube, and each connection to one of them takes a port.
  min_ports_per_vm = 1024
  subnetwork {
    name                    = google_compute_subnetwork.fetcher[0].id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }
  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}
