# Who may call, read, write and publish.

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

run "without_a_domain" {
  assert {
    condition     = toset([for each in google_cloud_run_v2_service_iam_member.everybody : each.name]) == toset(["web"])
    error_message = "Only web may be called by everybody."
  }
  assert {
    condition     = alltrue([for each in google_cloud_run_v2_service_iam_member.everybody : each.member == "allUsers" && each.role == "roles/run.invoker"])
    error_message = "The right to call is run.invoker on the service behind the function."
  }
  assert {
    condition     = toset([for each in google_cloud_run_v2_service_iam_member.push : each.name]) == toset(["planner", "fetcher", "indexer", "embedder", "dead-letters"])
    error_message = "Pub/Sub calls the four functions that subscriptions feed."
  }
  assert {
    condition     = alltrue([for each in google_cloud_run_v2_service_iam_member.push : each.member == google_service_account.push.member])
    error_message = "They are called with the identity of the subscriptions, and no other."
  }
  assert {
    condition     = alltrue([for each in google_cloud_run_v2_service_iam_member.scheduler : contains(["sweep", "refresh"], each.name) && each.member == google_service_account.scheduler.member])
    error_message = "The scheduler alone calls sweep and refresh."
  }
  assert {
    condition = toset([for each in google_cloud_run_v2_service_iam_member.operator : "${each.name} ${each.member}"]) == toset([
      "reindex user:me@example.org", "reindex serviceAccount:robot@my-yts-project.iam.gserviceaccount.com",
    ])
    error_message = "The operators alone call reindex."
  }
  assert {
    condition     = alltrue([for name in ["planner", "fetcher", "indexer", "embedder", "dead-letters", "sweep", "refresh"] : google_cloudfunctions2_function.function[name].service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"])
    error_message = "What Pub/Sub and the scheduler call is not reached from the internet."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["reindex"].service_config[0].ingress_settings == "ALLOW_ALL"
    error_message = "The operator reaches reindex from anywhere."
  }
  assert {
    condition     = length(distinct([for each in google_cloudfunctions2_function.function : each.service_config[0].service_account_email])) == length(google_cloudfunctions2_function.function)
    error_message = "Each function has an identity of its own."
  }
  assert {
    condition     = alltrue([for each in google_service_account.function : can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", each.account_id))])
    error_message = "The name of a service account has 6 to 30 lower-case letters, digits and hyphens."
  }
  assert {
    condition     = google_service_account_iam_member.pubsub_agent_makes_tokens.member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com" && google_service_account_iam_member.pubsub_agent_makes_tokens.role == "roles/iam.serviceAccountTokenCreator"
    error_message = "Pub/Sub makes the tokens with which it calls."
  }
  assert {
    condition = toset([for each in google_pubsub_topic_iam_member.publisher : "${each.topic} ${each.member}"]) == toset(flatten([
      for name, each in local.functions : [for topic in each.publishes : "${topic} ${google_service_account.function[name].member}"]
    ]))
    error_message = "Each function publishes to its own topics."
  }
  assert {
    condition     = [for each in google_pubsub_topic_iam_member.publisher : each.topic if each.member == google_service_account.function["indexer"].member] == ["dead-letters"]
    error_message = "The indexer publishes to no other topic than the dead letters."
  }
  assert {
    condition     = alltrue([for each in google_pubsub_topic_iam_member.publisher : each.role == "roles/pubsub.publisher"])
    error_message = "They may publish, and nothing else."
  }
  assert {
    condition     = alltrue([for each in google_pubsub_topic_iam_member.inspector : each.topic == "playlists" && each.role == "roles/pubsub.viewer" && each.member == google_service_account.function["web"].member])
    error_message = "The health check reads the description of a topic."
  }
  assert {
    condition     = google_project_iam_member.store["reindex"].role == "roles/datastore.viewer" && google_project_iam_member.store["web"].role == "roles/datastore.user"
    error_message = "reindex only reads the store."
  }
  assert {
    condition     = alltrue([for each in google_project_iam_member.store : each.condition[0].expression == "resource.name == \"projects/my-yts-project/databases/(default)\""])
    error_message = "The rights are for one database."
  }
  assert {
    condition = toset(keys(google_secret_manager_secret_iam_member.reader)) == toset([
      "web GOOGLE_OAUTH_CLIENT_SECRET", "web GRANT_ENCRYPTION_KEYS", "web YOUTUBE_API_KEY", "sweep GOOGLE_OAUTH_CLIENT_SECRET", "sweep GRANT_ENCRYPTION_KEYS",
      "planner GOOGLE_OAUTH_CLIENT_SECRET", "planner GRANT_ENCRYPTION_KEYS", "planner YOUTUBE_API_KEY",
      "refresh GOOGLE_OAUTH_CLIENT_SECRET", "refresh GRANT_ENCRYPTION_KEYS", "refresh YOUTUBE_API_KEY",
    ])
    error_message = "Each function reads its own secrets. The search server in the project needs none."
  }
  assert {
    condition     = alltrue([for each in google_cloudfunctions2_function.function : each.build_config[0].service_account == google_service_account.build.id])
    error_message = "No function is built with a default identity."
  }
}

run "with_a_domain" {
  variables {
    domain            = "yts.example.org"
    elasticsearch_url = "https://my.es.europe-west1.gcp.cloud.es.io:443/"
  }
  assert {
    condition     = toset([for each in google_cloud_run_v2_service_iam_member.everybody : each.name]) == toset(["index", "jobs", "keep", "library", "mcp", "search", "account", "health"])
    error_message = "Everybody may call the eight functions with routes, and no other."
  }
  assert {
    condition     = alltrue([for name in keys(google_cloud_run_v2_service_iam_member.everybody) : google_cloudfunctions2_function.function[name].service_config[0].ingress_settings == "ALLOW_INTERNAL_AND_GCLB"])
    error_message = "Only the load balancer reaches them."
  }
  assert {
    condition = toset(keys(google_secret_manager_secret_iam_member.reader)) == toset(concat(
      [for name in ["account", "library", "sweep", "planner", "refresh"] : "${name} GOOGLE_OAUTH_CLIENT_SECRET"],
      [for name in ["account", "library", "sweep", "planner", "refresh"] : "${name} GRANT_ENCRYPTION_KEYS"],
      ["index YOUTUBE_API_KEY", "planner YOUTUBE_API_KEY", "refresh YOUTUBE_API_KEY"],
      [for name in ["jobs", "keep", "library", "search", "account", "health", "planner", "fetcher", "indexer", "embedder", "dead-letters", "sweep", "reindex"] : "${name} ELASTICSEARCH_API_KEY"],
    ))
    error_message = "Each function reads its own secrets."
  }
  assert {
    condition     = toset([for name, each in google_project_iam_member.store : name if each.role == "roles/datastore.viewer"]) == toset(["search", "mcp", "health", "reindex"])
    error_message = "Four functions only read the store."
  }
  assert {
    condition     = google_pubsub_topic_iam_member.inspector["health playlists"].member == google_service_account.function["health"].member
    error_message = "The health check reads the description of a topic."
  }
}
