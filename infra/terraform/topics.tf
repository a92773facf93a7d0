# Topics, and the subscriptions that push their messages to functions.

locals {
  # With egress = none only workers ask YouTube, so nothing is pushed to the fetcher.
  push = {
    for name, each in local.pipeline.subscriptions : replace(name, "_", "-") => each
    if !(name == "fetcher" && var.egress == "none")
  }
  pull = {
    for name, each in local.pipeline.pull_subscriptions : name => local.pipeline.subscriptions[each.like]
    if var.home_worker || var.egress == "none"
  }
  subscriptions = merge(
    { for name, each in local.push : name => merge(local.policy[name], { topic = each.topic, deadline = each.ack_deadline_seconds, push = true }) },
    { for name, each in local.pull : name => merge(local.policy[name], { topic = each.topic, deadline = each.ack_deadline_seconds, push = false }) },
  )
  policy = { for name, each in merge(local.push, local.pull) : name => {
    minimum  = each.minimum_backoff_seconds
    maximum  = each.maximum_backoff_seconds
    attempts = try(each.cloud_max_delivery_attempts, each.max_delivery_attempts)
  } }
  mortal = toset([for name, each in local.subscriptions : name if each.attempts != null])

  # Pub/Sub acts as this when it moves dead letters and makes tokens.
  pubsub_agent = "serviceAccount:service-${local.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "topic" {
  for_each = toset(local.pipeline.topics)
  project  = local.project
  name     = each.key
  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_subscription" "subscription" {
  for_each                   = local.subscriptions
  project                    = local.project
  name                       = each.key
  topic                      = google_pubsub_topic.topic[each.value.topic].id
  ack_deadline_seconds       = each.value.deadline
  message_retention_duration = "604800s"

  retry_policy {
    minimum_backoff = "${each.value.minimum}s"
    maximum_backoff = "${each.value.maximum}s"
  }

  # Never. By default a subscription is deleted when nothing was delivered for 31 days.
  expiration_policy {
    ttl = ""
  }

  dynamic "push_config" {
    for_each = each.value.push ? [google_cloudfunctions2_function.function[each.key].service_config[0].uri] : []
    content {
      # The code reads nothing from the path. It shows the topic in the log of requests.
      push_endpoint = "${push_config.value}/projects/${local.project}/topics/${each.value.topic}"
      oidc_token {
        service_account_email = google_service_account.push.email
        audience              = push_config.value
      }
    }
  }

  dynamic "dead_letter_policy" {
    for_each = each.value.attempts == null ? [] : [each.value.attempts]
    content {
      dead_letter_topic     = google_pubsub_topic.topic[local.pipeline.dead_letter_topic].id
      max_delivery_attempts = dead_letter_policy.value
    }
  }

  # The first push finds the door open.
  depends_on = [google_cloud_run_v2_service_iam_member.push, google_service_account_iam_member.pubsub_agent_makes_tokens]
}

# Without these two, Pub/Sub never moves a message to the dead letters, and says nothing.
resource "google_pubsub_topic_iam_member" "dead_letters" {
  project = local.project
  topic   = google_pubsub_topic.topic[local.pipeline.dead_letter_topic].name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each     = local.mortal
  project      = local.project
  subscription = google_pubsub_subscription.subscription[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
