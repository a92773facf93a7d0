# Alerts and a dashboard. docs/operations.md says what each log line means and what to do.

locals {
  # Minutes until the oldest message that is not settled yet makes an alert.
  patience = { planner = 30, fetcher = 30, fetcher-home = 30, indexer = 10, embedder = 60, dead-letters = 5 }

  services = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for name in sort(keys(local.functions)) : "\"${name}\""])})"

  # Any such line makes an alert, at most once an hour.
  lines = {
    "a defect or a wrong configuration"         = "severity>=ERROR"
    "a message was malformed"                   = "jsonPayload.message=\"message recorded as rejected\""
    "the daily quota of YouTube is used up"     = "jsonPayload.message=\"job put off\""
    "many grants expire: see docs/deploying.md" = "jsonPayload.message=\"a grant has expired\""
  }
  counted = {
    nacked          = { line = "nacked", unit = "deliveries given back" }
    published-again = { line = "videos published again", unit = "times the sweep published lost videos" }
    given-up        = { line = "video failed: given up", unit = "videos given up" }
  }
  pubsub   = "resource.type=\"pubsub_subscription\" AND metric.type=\"pubsub.googleapis.com/subscription"
  requests = "resource.type=\"cloud_run_revision\" AND metric.type=\"run.googleapis.com/request_count\""
  operator = [google_monitoring_notification_channel.operator.id]
}

resource "google_monitoring_notification_channel" "operator" {
  project      = local.project
  display_name = "yts: operator"
  type         = "email"
  labels       = { email_address = var.alert_email == "" ? local.people[0] : var.alert_email }
}

resource "google_monitoring_alert_policy" "backlog" {
  for_each              = local.subscriptions
  project               = local.project
  display_name          = "yts: messages wait for ${each.key}"
  combiner              = "OR"
  notification_channels = local.operator
  conditions {
    display_name = "the oldest is older than ${local.patience[each.key]} minutes"
    condition_threshold {
      filter          = "${local.pubsub}/oldest_unacked_message_age\" AND resource.label.subscription_id=\"${each.key}\""
      comparison      = "COMPARISON_GT"
      threshold_value = local.patience[each.key] * 60
      duration        = "0s"
      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }
}

resource "google_monitoring_alert_policy" "dead_letters" {
  project               = local.project
  display_name          = "yts: videos or jobs failed after too many deliveries"
  combiner              = "OR"
  notification_channels = local.operator
  conditions {
    display_name = "dead letters within ten minutes"
    condition_threshold {
      filter          = "${local.pubsub}/dead_letter_message_count\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
}

# A delivery that a function gives back, and one that found no instance, look alike here.
resource "google_monitoring_alert_policy" "given_back" {
  project               = local.project
  display_name          = "yts: many deliveries are given back"
  combiner              = "OR"
  notification_channels = local.operator
  conditions {
    display_name = "more than a fifth for ten minutes"
    condition_threshold {
      filter             = "${local.pubsub}/push_request_count\" AND metric.label.response_class!=\"ack\""
      denominator_filter = "${local.pubsub}/push_request_count\""
      comparison         = "COMPARISON_GT"
      threshold_value    = 0.2
      duration           = "600s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.subscription_id"]
      }
      denominator_aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.subscription_id"]
      }
    }
  }
}

resource "google_monitoring_alert_policy" "line" {
  for_each              = local.lines
  project               = local.project
  display_name          = "yts: ${each.key}"
  combiner              = "OR"
  notification_channels = local.operator
  conditions {
    display_name = "a log line"
    condition_matched_log {
      filter = "${local.services} AND ${each.value}"
    }
  }
  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "3600s"
    }
  }
}

resource "google_logging_metric" "counted" {
  for_each    = local.counted
  project     = local.project
  name        = "yts/${each.key}"
  description = each.value.unit
  filter      = "${local.services} AND jsonPayload.message=\"${each.value.line}\""
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_monitoring_alert_policy" "published_again" {
  # Monitoring knows a metric of logs only minutes after it is made. The functions take longer.
  depends_on            = [google_cloudfunctions2_function.function]
  project               = local.project
  display_name          = "yts: messages get lost"
  combiner              = "OR"
  notification_channels = local.operator
  conditions {
    display_name = "the sweep published lost videos more than a hundred times within an hour"
    condition_threshold {
      filter          = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.counted["published-again"].name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 100
      duration        = "0s"
      aggregations {
        alignment_period     = "3600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
}

resource "google_monitoring_alert_policy" "schedule" {
  for_each              = local.pipeline.schedules
  project               = local.project
  display_name          = "yts: ${each.key} does not run"
  combiner              = "OR"
  notification_channels = local.operator
  conditions {
    display_name = "no successful call when five were due"
    condition_absent {
      filter   = "${local.requests} AND resource.label.service_name=\"${each.value.function}\" AND metric.label.response_code_class=\"2xx\""
      duration = "${5 * each.value.every_seconds}s"
      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  conditions {
    display_name = "failed calls"
    condition_threshold {
      filter          = "${local.requests} AND resource.label.service_name=\"${each.value.function}\" AND metric.label.response_code_class!=\"2xx\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
}

resource "google_monitoring_alert_policy" "youtube_quota" {
  project               = local.project
  display_name          = "yts: four fifths of the daily quota of the YouTube Data API are used"
  combiner              = "OR"
  notification_channels = local.operator
  conditions {
    display_name = "units within a day"
    condition_threshold {
      filter          = "resource.type=\"consumer_quota\" AND resource.label.service=\"youtube.googleapis.com\" AND metric.type=\"serviceruntime.googleapis.com/quota/rate/net_usage\" AND metric.label.quota_metric=\"youtube.googleapis.com/default\""
      comparison      = "COMPARISON_GT"
      threshold_value = var.youtube_quota * 0.8
      duration        = "0s"
      aggregations {
        alignment_period     = "86400s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
}

resource "google_monitoring_uptime_check_config" "health" {
  project = local.project
  # The alert refers to it. A check that an alert refers to cannot be destroyed.
  lifecycle {
    create_before_destroy = true
  }
  display_name = "yts: health"
  period       = "300s"
  # Enough for a cold start.
  timeout = "30s"
  http_check {
    path         = "/api/health"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }
  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project
      host       = trimprefix(local.address, "https://")
    }
  }
}

resource "google_monitoring_alert_policy" "health" {
  project               = local.project
  display_name          = "yts: a dependency does not answer"
  combiner              = "OR"
  notification_channels = local.operator
  conditions {
    display_name = "/api/health fails for ten minutes from two places"
    condition_threshold {
      filter          = "resource.type=\"uptime_url\" AND metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.label.check_id=\"${google_monitoring_uptime_check_config.health.uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "600s"
      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }
    }
  }
}

locals {
  charts = [
    { title = "Messages that wait", filter = "${local.pubsub}/num_undelivered_messages\"", by = "resource.label.subscription_id", aligner = "ALIGN_MEAN" },
    { title = "Age of the oldest message (s)", filter = "${local.pubsub}/oldest_unacked_message_age\"", by = "resource.label.subscription_id", aligner = "ALIGN_MAX" },
    { title = "Pushes by answer", filter = "${local.pubsub}/push_request_count\"", by = "metric.label.response_class", aligner = "ALIGN_RATE" },
    { title = "Dead letters", filter = "${local.pubsub}/dead_letter_message_count\"", by = "resource.label.subscription_id", aligner = "ALIGN_DELTA" },
    { title = "Requests by function", filter = local.requests, by = "resource.label.service_name", aligner = "ALIGN_RATE" },
    { title = "Instances", filter = "resource.type=\"cloud_run_revision\" AND metric.type=\"run.googleapis.com/container/instance_count\"", by = "resource.label.service_name", aligner = "ALIGN_MAX" },
    { title = "Deliveries given back", filter = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/yts/nacked\"", by = "resource.label.service_name", aligner = "ALIGN_RATE" },
    { title = "Videos given up", filter = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/yts/given-up\"", by = "resource.label.service_name", aligner = "ALIGN_DELTA" },
  ]
}

resource "google_monitoring_dashboard" "yts" {
  project = local.project
  dashboard_json = jsonencode({
    displayName = "yts"
    mosaicLayout = {
      columns = 48
      # Google leaves out zeros, and Terraform would see a change in that.
      tiles = [for index, chart in local.charts : merge({ for name, value in { xPos = index % 2 * 24, yPos = floor(index / 2) * 16 } : name => value if value != 0 }, {
        width  = 24
        height = 16
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = chart.filter
                  aggregation = {
                    alignmentPeriod    = "300s"
                    perSeriesAligner   = chart.aligner
                    crossSeriesReducer = "REDUCE_SUM"
                    groupByFields      = [chart.by]
                  }
                }
              }
            }]
          }
        }
      })]
    }
  })
  depends_on = [google_logging_metric.counted]
}
