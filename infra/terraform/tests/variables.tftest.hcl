# A wrong value is refused before anything happens. Each run has one wrong value of every variable in it, and each of
# them has to be named.

mock_provider "google" {}

variables {
  project                = "my-yts-project"
  operators              = ["me@example.org"]
  google_oauth_client_id = "123-abc.apps.googleusercontent.com"
}

run "wrong_values_1" {
  command = plan
  variables {
    project                 = "My_Project"
    region                  = "Europe"
    operators               = []
    allowed_users           = ["me@"]
    google_oauth_client_id  = "GOCSPX-secret"
    secret_versions         = { YOUTUBE_API_KEY = "newest" }
    packages                = ""
    domain                  = "https://yts.example.org"
    warm_instances          = -1
    environment             = { PORT = "80" }
    webshare_proxy_username = "somebody"
    fetch_concurrency       = 0
    transcript_languages    = ["english language"]
    elasticsearch_url       = "http://10.0.0.1:9200"
    elasticsearch_version   = "7.17.0"
    elasticsearch_heap_mb   = 256
    elasticsearch_disk_gb   = 1
    alert_email             = "nobody"
    youtube_quota           = 10
    billing_account         = "my account"
    monthly_budget          = 0
  }
  expect_failures = [
    var.project,
    var.region,
    var.operators,
    var.allowed_users,
    var.google_oauth_client_id,
    var.secret_versions,
    var.packages,
    var.domain,
    var.warm_instances,
    var.environment,
    var.webshare_proxy_username,
    var.fetch_concurrency,
    var.transcript_languages,
    var.elasticsearch_url,
    var.elasticsearch_version,
    var.elasticsearch_heap_mb,
    var.elasticsearch_disk_gb,
    var.alert_email,
    var.youtube_quota,
    var.billing_account,
    var.monthly_budget,
  ]
}

run "wrong_values_2" {
  command = plan
  variables {
    project                = "abc"
    region                 = "europe-west1-b"
    operators              = ["me"]
    allowed_users          = ["*.example.org"]
    google_oauth_client_id = ""
    secret_versions        = { YOUTUBE_API_KEY = "0" }
    domain                 = "yts.example.org/page"
    warm_instances         = 1.5
    environment            = { YOUTUBE_API_KEY = "x" }
    fetch_concurrency      = 151
    elasticsearch_url      = "https://elastic:password@my.es.io"
    elasticsearch_version  = "9.0.0"
    elasticsearch_heap_mb  = 40000
    elasticsearch_disk_gb  = 20.5
  }
  expect_failures = [
    var.project,
    var.region,
    var.operators,
    var.allowed_users,
    var.google_oauth_client_id,
    var.secret_versions,
    var.domain,
    var.warm_instances,
    var.environment,
    var.fetch_concurrency,
    var.elasticsearch_url,
    var.elasticsearch_version,
    var.elasticsearch_heap_mb,
    var.elasticsearch_disk_gb,
  ]
}

run "wrong_values_3" {
  command = plan
  variables {
    project               = ""
    region                = ""
    operators             = ["a@b.org,c@d.org"]
    allowed_users         = ["a b"]
    domain                = "localhost"
    warm_instances        = 50
    environment           = { jobs_per_hour = "1" }
    fetch_concurrency     = 2.5
    elasticsearch_version = "latest"
  }
  expect_failures = [
    var.project,
    var.region,
    var.operators,
    var.allowed_users,
    var.domain,
    var.warm_instances,
    var.environment,
    var.fetch_concurrency,
    var.elasticsearch_version,
  ]
}

run "wrong_environment_1" {
  command = plan
  variables {
    environment = { JOBS_PER_HOUR = "many" }
  }
  expect_failures = [var.environment]
}

run "wrong_environment_2" {
  command = plan
  variables {
    environment = { REFRESH_UNITS_PER_DAY = "0" }
  }
  expect_failures = [var.environment]
}

run "wrong_environment_3" {
  command = plan
  variables {
    environment = { STALLED_AFTER_SECONDS = "86401" }
  }
  expect_failures = [var.environment]
}

run "wrong_environment_4" {
  command = plan
  variables {
    environment = { EGRESS_NAME = "x" }
  }
  expect_failures = [var.environment]
}

run "wrong_environment_5" {
  command = plan
  variables {
    environment = { ALLOWED_USERS = "*" }
  }
  expect_failures = [var.environment]
}

run "wrong_environment_6" {
  command = plan
  variables {
    environment = { YOUTUBE_PARTIAL_ANSWERS = "yes" }
  }
  expect_failures = [var.environment]
}

run "wrong_environment_7" {
  command = plan
  variables {
    environment = { ELASTICSEARCH_INDEX_PREFIX = "Yts" }
  }
  expect_failures = [var.environment]
}


# In runs of their own, because another variable depends on them.
run "wrong_egress" {
  command = plan
  variables {
    egress = "direct"
  }
  expect_failures = [
    var.egress,
  ]
}

run "wrong_machine" {
  command = plan
  variables {
    elasticsearch_machine = "large"
  }
  expect_failures = [
    var.elasticsearch_machine,
  ]
}

run "heap_for_a_larger_machine" {
  command = plan
  variables {
    operators             = ["robot@my-yts-project.iam.gserviceaccount.com"]
    allowed_users         = ["me*@example.org"]
    elasticsearch_heap_mb = 2049
    alert_email           = "me@examp le.org"
  }
  expect_failures = [
    var.operators,
    var.allowed_users,
    var.elasticsearch_heap_mb,
    var.alert_email,
  ]
}
