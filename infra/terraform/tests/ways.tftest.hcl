# Every way that a variable chooses: the edge, the search server, the way to YouTube, watching.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project                = "my-yts-project"
  operators              = ["me@example.org", "robot@my-yts-project.iam.gserviceaccount.com"]
  google_oauth_client_id = "123-abc.apps.googleusercontent.com"
}

run "default_edge" {
  assert {
    condition     = output.url == "https://web-123456789012.europe-west1.run.app" && output.redirect_address == "https://web-123456789012.europe-west1.run.app/api/login/callback"
    error_message = "The address is known before anything is deployed."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["web"].service_config[0].environment_variables.PUBLIC_URL == output.url
    error_message = "The code knows the address that people open."
  }
  assert {
    condition     = length(google_compute_global_forwarding_rule.https) + length(google_compute_url_map.site) + length(google_storage_bucket.page) == 0
    error_message = "Without a domain there is no fixed cost."
  }
  assert {
    condition     = output.monthly_estimate.total == 35
    error_message = "README.md and docs/deploying.md say what it costs."
  }
  assert {
    condition     = output.ip_address == null
    error_message = "There is no address to point a domain at."
  }
}

run "edge_with_a_domain" {
  variables {
    domain = "yts.example.org"
  }
  assert {
    condition     = output.url == "https://yts.example.org" && alltrue([for name in ["account", "search", "index"] : google_cloudfunctions2_function.function[name].service_config[0].environment_variables.PUBLIC_URL == "https://yts.example.org"])
    error_message = "All functions with routes know the address."
  }
  assert {
    condition     = !contains(keys(google_cloudfunctions2_function.function), "web")
    error_message = "The load balancer does the work of web."
  }
  assert {
    condition     = google_compute_url_map.site[0].path_matcher[0].route_rules[0].match_rules[0].path_template_match == "/api/videos/*/fetch"
    error_message = "The longest route comes first."
  }
  assert {
    condition     = length(distinct([for each in google_compute_url_map.site[0].path_matcher[0].route_rules : each.priority])) == length(google_compute_url_map.site[0].path_matcher[0].route_rules)
    error_message = "Each rule has its own priority."
  }
  assert {
    condition     = [for each in google_compute_url_map.site[0].path_matcher[0].route_rules : each.service if contains([for rule in each.match_rules : coalesce(rule.full_path_match, "-")], "/api/videos")] == [google_compute_backend_service.function["search"].id]
    error_message = "/api/videos goes to search."
  }
  assert {
    condition     = [for each in google_compute_url_map.site[0].path_matcher[0].route_rules : each.service if contains([for rule in each.match_rules : coalesce(rule.full_path_match, "-")], "/mcp")] == [google_compute_backend_service.function["mcp"].id]
    error_message = "/mcp goes to mcp."
  }
  assert {
    condition     = contains(google_compute_backend_bucket.page[0].custom_response_headers, "X-Frame-Options: DENY") && !strcontains(join(" ", google_compute_backend_bucket.page[0].custom_response_headers), "{")
    error_message = "The page has the headers of headers.json."
  }
  assert {
    condition     = google_storage_bucket_object.page["index.html"].content_type == "text/html; charset=utf-8" && alltrue([for each in google_storage_bucket_object.page : each.content_type != "application/octet-stream"])
    error_message = "The type of each file is known."
  }
  assert {
    condition     = google_compute_managed_ssl_certificate.site[0].managed[0].domains == tolist(["yts.example.org"]) && google_compute_url_map.to_https[0].default_url_redirect[0].https_redirect
    error_message = "HTTPS only."
  }
}

run "own_search_server" {
  assert {
    condition     = google_cloudfunctions2_function.function["web"].service_config[0].environment_variables.ELASTICSEARCH_URL == "http://10.80.1.10:9200"
    error_message = "Functions ask the private address."
  }
  assert {
    condition     = length(google_compute_instance.search[0].network_interface[0].access_config) == 0
    error_message = "The machine has no address in the internet."
  }
  assert {
    condition     = google_compute_firewall.functions_to_search[0].source_ranges == toset(["10.80.2.0/26", "10.80.4.0/22"]) && alltrue([for each in google_compute_firewall.functions_to_search[0].allow : each.ports == tolist(["9200"])])
    error_message = "Only functions reach it."
  }
  assert {
    condition     = strcontains(google_compute_instance.search[0].metadata["user-data"], "-Xms1536m -Xmx1536m") && strcontains(google_compute_instance.search[0].metadata["user-data"], "europe-west1-docker.pkg.dev/my-yts-project/yts-elastic/elasticsearch/elasticsearch:8.19.")
    error_message = "The heap is a variable, and the version is that of the local run."
  }
  assert {
    condition     = google_artifact_registry_repository.elastic[0].remote_repository_config[0].common_repository[0].uri == "https://docker.elastic.co"
    error_message = "The image comes from a server without a limit."
  }
  assert {
    condition     = google_compute_resource_policy.snapshots[0].snapshot_schedule_policy[0].retention_policy[0].max_retention_days == 7
    error_message = "The disk has snapshots."
  }
  assert {
    condition     = toset([for name, each in google_cloudfunctions2_function.function : each.service_config[0].direct_vpc_egress if length(each.service_config[0].direct_vpc_network_interface) > 0 && name != "fetcher"]) == toset(["VPC_EGRESS_PRIVATE_RANGES_ONLY"])
    error_message = "Only requests to private addresses take the private network."
  }
}

run "larger_search_server" {
  variables {
    elasticsearch_version = "8.20.1"
    elasticsearch_heap_mb = 4096
    elasticsearch_disk_gb = 100
    elasticsearch_machine = "e2-standard-2"
  }
  assert {
    condition     = strcontains(google_compute_instance.search[0].metadata["user-data"], "-Xmx4096m") && strcontains(google_compute_instance.search[0].metadata["user-data"], "elasticsearch:8.20.1") && google_compute_disk.search[0].size == 100
    error_message = "Version, heap and disk are variables."
  }
}

run "elastic_cloud" {
  variables {
    elasticsearch_url = "https://my.es.europe-west1.gcp.cloud.es.io:443/"
    egress            = "proxy"
  }
  assert {
    condition     = google_cloudfunctions2_function.function["web"].service_config[0].environment_variables.ELASTICSEARCH_URL == "https://my.es.europe-west1.gcp.cloud.es.io:443"
    error_message = "Functions ask Elastic Cloud."
  }
  assert {
    condition     = contains(keys(output.secrets), "ELASTICSEARCH_API_KEY") && length(google_compute_instance.search) == 0
    error_message = "It needs a key, and no machine."
  }
  assert {
    condition     = length(google_compute_network.network) == 0 && alltrue([for each in google_cloudfunctions2_function.function : length(each.service_config[0].direct_vpc_network_interface) == 0])
    error_message = "Nothing needs a private network."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["fetcher"].service_config[0].environment_variables.PROXY_MODE == "always" && contains(keys(output.secrets), "PROXY_URL") && !contains(keys(output.secrets), "WEBSHARE_PROXY_PASSWORD")
    error_message = "Every request to YouTube takes the proxy."
  }
}

run "webshare" {
  variables {
    egress                  = "proxy"
    webshare_proxy_username = "somebody"
  }
  assert {
    condition     = contains(keys(output.secrets), "WEBSHARE_PROXY_PASSWORD") && !contains(keys(output.secrets), "PROXY_URL") && google_cloudfunctions2_function.function["fetcher"].service_config[0].environment_variables.WEBSHARE_PROXY_USERNAME == "somebody"
    error_message = "A proxy of Webshare has a user and a password."
  }
}

run "own_address" {
  assert {
    condition     = google_cloudfunctions2_function.function["fetcher"].service_config[0].direct_vpc_egress == "VPC_EGRESS_ALL_TRAFFIC" && google_compute_router_nat.nat[0].nat_ip_allocate_option == "MANUAL_ONLY"
    error_message = "The fetcher leaves by an address of its own."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["fetcher"].service_config[0].environment_variables.EGRESS_NAME == "nat"
    error_message = "The address has a name, and so a breaker."
  }
  assert {
    condition     = [for name, each in google_cloudfunctions2_function.function : name if anytrue([for interface in each.service_config[0].direct_vpc_network_interface : interface.subnetwork == "yts-fetcher"])] == ["fetcher"] && length(google_compute_router_nat.nat[0].subnetwork) == 1
    error_message = "The fetcher is alone in the subnet of the address."
  }
  assert {
    condition     = google_compute_router_nat.nat[0].min_ports_per_vm >= 200
    error_message = "There is a port for each request at the same time."
  }
}

run "workers_at_home" {
  variables {
    egress = "none"
  }
  assert {
    condition     = toset(keys(google_pubsub_subscription.subscription)) == toset(["planner", "fetcher-home", "indexer", "embedder", "dead-letters"])
    error_message = "Nothing is pushed to the fetcher, and a worker can pull."
  }
  assert {
    condition     = length(google_pubsub_subscription.subscription["fetcher-home"].push_config) == 0 && google_pubsub_subscription.subscription["fetcher-home"].dead_letter_policy[0].max_delivery_attempts == 100 && google_pubsub_subscription.subscription["fetcher-home"].ack_deadline_seconds == 120
    error_message = "A worker pulls with the values of the fetcher."
  }
  assert {
    condition     = contains(keys(google_pubsub_subscription_iam_member.dead_letters), "fetcher-home") && contains(keys(google_monitoring_alert_policy.backlog), "fetcher-home")
    error_message = "Its dead letters are moved, and its backlog is watched."
  }
  assert {
    condition     = toset([for each in google_pubsub_topic_iam_member.worker : each.topic]) == toset(["transcripts", "dead-letters"]) && output.worker.subscription == "fetcher-home"
    error_message = "A worker may do what the fetcher may."
  }
  assert {
    condition     = length(google_compute_router_nat.nat) == 0
    error_message = "There is no address to pay for."
  }
}

run "worker_beside_the_address" {
  variables {
    home_worker = true
  }
  assert {
    condition     = toset(keys(google_pubsub_subscription.subscription)) == toset(["planner", "fetcher", "fetcher-home", "indexer", "embedder", "dead-letters"])
    error_message = "Videos go to both."
  }
}

run "watching" {
  variables {
    billing_account = "012345-6789AB-CDEF01"
    alert_email     = "alerts@example.org"
  }
  assert {
    condition     = google_monitoring_notification_channel.operator.labels.email_address == "alerts@example.org"
    error_message = "Alerts go to who is named."
  }
  assert {
    condition     = google_monitoring_alert_policy.backlog["indexer"].conditions[0].condition_threshold[0].threshold_value == 600 && google_monitoring_alert_policy.backlog["dead-letters"].conditions[0].condition_threshold[0].threshold_value == 300
    error_message = "The limits of docs/operations.md."
  }
  assert {
    condition     = google_monitoring_uptime_check_config.health.monitored_resource[0].labels.host == "web-123456789012.europe-west1.run.app"
    error_message = "The address that people open is watched."
  }
  assert {
    condition     = length(google_billing_budget.monthly) == 1 && [for each in google_billing_budget.monthly[0].threshold_rules : each.threshold_percent] == [0.5, 0.9, 1]
    error_message = "Mails come at 50, 90 and 100 %."
  }
  assert {
    condition     = output.monthly_estimate.total == sum([for what, amount in output.monthly_estimate : amount if what != "total"])
    error_message = "The estimate adds up."
  }
}

# Google writes addresses in small letters, and gcloud shows them as somebody once typed them.
run "addresses_in_capitals" {
  variables {
    operators     = ["robot@my-yts-project.iam.gserviceaccount.com", "Me@Example.Org"]
    allowed_users = ["Example.ORG", "Ada.L+yts@Example.net"]
  }
  assert {
    condition     = google_monitoring_notification_channel.operator.labels.email_address == "me@example.org"
    error_message = "Alerts go to a person, and not to a service account."
  }
  assert {
    condition     = toset([for each in google_cloud_run_v2_service_iam_member.operator : each.member]) == toset(["user:me@example.org", "serviceAccount:robot@my-yts-project.iam.gserviceaccount.com"])
    error_message = "Grants are for addresses in small letters."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["web"].service_config[0].environment_variables.ALLOWED_USERS == "example.org,ada.l+yts@example.net"
    error_message = "So are those who may come in."
  }
}
