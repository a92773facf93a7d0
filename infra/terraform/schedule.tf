# The scheduler calls functions at fixed intervals.

resource "google_cloud_scheduler_job" "job" {
  for_each = local.pipeline.schedules
  project  = local.project
  region   = var.region
  name     = "yts-${each.key}"
  # From 60 s to an hour, in whole minutes.
  schedule         = each.value.every_seconds == 60 ? "* * * * *" : "*/${each.value.every_seconds / 60} * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "${local.functions[each.value.function].timeout}s"

  # The next call comes soon, so a failed one is not repeated.
  http_target {
    http_method = "POST"
    uri         = "${google_cloudfunctions2_function.function[each.value.function].service_config[0].uri}/"
    oidc_token {
      service_account_email = google_service_account.scheduler.email
      audience              = google_cloudfunctions2_function.function[each.value.function].service_config[0].uri
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.scheduler]
}
