# The subscriptions and functions as pipeline.yaml describes them.

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

run "subscriptions" {
  assert {
    condition     = { for name, each in google_monitoring_alert_policy.schedule : name => one(flatten([for condition in each.conditions : [for absent in condition.condition_absent : absent.duration]])) } == { refresh = "1500s", sweep = "300s" }
    error_message = "Every schedule is watched: an alert comes when five calls in turn have not succeeded."
  }
  assert {
    condition     = toset(keys(google_pubsub_subscription.subscription)) == toset(["planner", "fetcher", "indexer", "embedder", "dead-letters"])
    error_message = "There are five subscriptions, and no name has an underscore."
  }
  assert {
    condition     = alltrue([for each in google_pubsub_subscription.subscription : each.expiration_policy[0].ttl == ""])
    error_message = "No subscription expires."
  }
  assert {
    condition     = alltrue([for each in google_pubsub_subscription.subscription : each.message_retention_duration == "604800s"])
    error_message = "A message is kept for seven days."
  }
  assert {
    condition     = { for name, each in google_pubsub_subscription.subscription : name => try(each.dead_letter_policy[0].max_delivery_attempts, 0) } == { planner = 100, fetcher = 100, indexer = 100, embedder = 100, dead-letters = 0 }
    error_message = "Full functions and cold starts use up deliveries, too. Dead letters have no further topic."
  }
  assert {
    condition     = toset(keys(google_pubsub_subscription_iam_member.dead_letters)) == toset(["planner", "fetcher", "indexer", "embedder"])
    error_message = "Pub/Sub may take messages off each subscription with dead letters."
  }
  assert {
    condition     = alltrue([for each in google_pubsub_subscription_iam_member.dead_letters : each.role == "roles/pubsub.subscriber" && each.member == google_pubsub_topic_iam_member.dead_letters.member])
    error_message = "Without that right nothing is ever moved."
  }
  assert {
    condition     = google_pubsub_topic_iam_member.dead_letters.topic == "dead-letters" && google_pubsub_topic_iam_member.dead_letters.role == "roles/pubsub.publisher"
    error_message = "Pub/Sub may publish dead letters."
  }
  assert {
    condition     = alltrue([for name, each in google_pubsub_subscription.subscription : each.push_config[0].oidc_token[0].audience == google_cloudfunctions2_function.function[name].service_config[0].uri])
    error_message = "The token of a push is for the function, and for no other."
  }
  assert {
    condition     = alltrue([for each in google_pubsub_subscription.subscription : each.push_config[0].oidc_token[0].service_account_email == google_service_account.push.email])
    error_message = "Pushes have the identity that may call."
  }
  assert {
    condition     = endswith(google_pubsub_subscription.subscription["fetcher"].push_config[0].push_endpoint, "/projects/my-yts-project/topics/videos")
    error_message = "The path of a push names the topic."
  }
  assert {
    condition     = alltrue([for name, each in google_pubsub_subscription.subscription : each.ack_deadline_seconds >= google_cloudfunctions2_function.function[name].service_config[0].timeout_seconds])
    error_message = "No message comes again while it is still worked on."
  }
  assert {
    condition     = alltrue([for each in google_pubsub_topic.topic : each.message_storage_policy[0].allowed_persistence_regions == toset(["europe-west1"])])
    error_message = "Messages stay in the region."
  }
}

run "functions" {
  assert {
    condition     = toset(keys(google_cloudfunctions2_function.function)) == toset(["web", "planner", "fetcher", "indexer", "embedder", "dead-letters", "sweep", "refresh", "reindex"])
    error_message = "web takes the place of the functions with routes."
  }
  assert {
    condition     = alltrue([for each in google_cloudfunctions2_function.function : each.service_config[0].environment_variables.THREADS == tostring(each.service_config[0].max_instance_request_concurrency)])
    error_message = "A function has as many threads as it gets requests at the same time."
  }
  assert {
    condition     = alltrue([for each in google_cloudfunctions2_function.function : each.service_config[0].available_cpu == "1"])
    error_message = "Several requests at the same time need a whole processor."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["fetcher"].service_config[0].max_instance_count == 1
    error_message = "One address has one fetcher."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["dead-letters"].build_config[0].entry_point == "dead_letters"
    error_message = "The name in the code has an underscore."
  }
  assert {
    condition     = alltrue([for each in google_cloudfunctions2_function.function : each.service_config[0].environment_variables.GOOGLE_CLOUD_PROJECT == "my-yts-project"])
    error_message = "The platform does not set GOOGLE_CLOUD_PROJECT."
  }
  assert {
    condition = alltrue([for each in google_cloudfunctions2_function.function : length(setintersection(keys(each.service_config[0].environment_variables), [
      "PORT", "K_SERVICE", "K_REVISION", "FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE", "YOUTUBE_API_KEY", "GRANT_ENCRYPTION_KEYS", "GOOGLE_OAUTH_CLIENT_SECRET", "ELASTICSEARCH_API_KEY",
    ])) == 0])
    error_message = "No variable of the platform is set, and no secret is a plain variable."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["web"].service_config[0].environment_variables.ALLOWED_USERS == google_cloudfunctions2_function.function["web"].service_config[0].environment_variables.OPERATORS
    error_message = "Without a word about it, only the operators may come in."
  }
  assert {
    condition     = !contains(keys(google_cloudfunctions2_function.function["fetcher"].service_config[0].environment_variables), "WEBSHARE_PROXY_USERNAME")
    error_message = "What is empty is not set."
  }
  assert {
    condition     = alltrue([for each in google_cloudfunctions2_function.function["planner"].service_config[0].secret_environment_variables : each.version == "latest"])
    error_message = "Without a number, the latest version of a secret."
  }
  assert {
    condition     = length(google_firestore_field.unindexed) >= 10 && alltrue([for each in google_firestore_field.unindexed : each.field == "*"])
    error_message = "Collections whose fields nobody queries have no indexes."
  }
  assert {
    condition     = toset([for each in google_firestore_index.composite : join(" ", [for field in each.fields : "${field.field_path} ${field.order}"])]) == toset(["state ASCENDING next_attempt_at ASCENDING", "user_id ASCENDING created_at DESCENDING"])
    error_message = "The two queries with two conditions have an index."
  }
  assert {
    condition     = google_firestore_database.store.deletion_policy == "ABANDON" && google_firestore_database.store.delete_protection_state == "DELETE_PROTECTION_ENABLED"
    error_message = "Terraform never deletes the database."
  }
  assert {
    condition     = google_cloud_scheduler_job.job["sweep"].schedule == "* * * * *" && google_cloud_scheduler_job.job["sweep"].attempt_deadline == "540s"
    error_message = "sweep is called each minute."
  }

  assert {
    condition     = google_cloud_scheduler_job.job["refresh"].schedule == "*/5 * * * *" && google_cloud_scheduler_job.job["refresh"].attempt_deadline == "300s"
    error_message = "refresh is called each five minutes."
  }
}

run "versions_of_secrets" {
  variables {
    secret_versions = { YOUTUBE_API_KEY = "7" }
    environment     = { JOBS_PER_HOUR = "20" }
    allowed_users   = ["example.org"]
    warm_instances  = 1
  }
  assert {
    condition     = contains([for each in google_cloudfunctions2_function.function["planner"].service_config[0].secret_environment_variables : "${each.key} ${each.version}"], "YOUTUBE_API_KEY 7")
    error_message = "A new version of a secret is a change, and the function is deployed anew."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["web"].service_config[0].environment_variables.JOBS_PER_HOUR == "20"
    error_message = "Limits of users are variables."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["web"].service_config[0].environment_variables.ALLOWED_USERS == "example.org"
    error_message = "Who may come in is a variable."
  }
  assert {
    condition     = { for name, each in google_cloudfunctions2_function.function : name => each.service_config[0].min_instance_count if each.service_config[0].min_instance_count > 0 } == { web = 1 }
    error_message = "Only what a person waits for is kept warm."
  }
}
