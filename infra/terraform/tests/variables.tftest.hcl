# A wrong value is refused before anything happens.

mock_provider "google" {}

variables {
  project                = "my-yts-project"
  operators              = ["me@example.org"]
  google_oauth_client_id = "123-abc.apps.googleusercontent.com"
}

run "project_1" {
  command = plan
  variables {
    project = "My_Project"
  }
  expect_failures = [var.project]
}

run "project_2" {
  command = plan
  variables {
    project = "abc"
  }
  expect_failures = [var.project]
}

run "project_3" {
  command = plan
  variables {
    project = ""
  }
  expect_failures = [var.project]
}

run "region_1" {
  command = plan
  variables {
    region = "Europe"
  }
  expect_failures = [var.region]
}

run "region_2" {
  command = plan
  variables {
    region = "europe-west1-b"
  }
  expect_failures = [var.region]
}

run "operators_1" {
  command = plan
  variables {
    operators = []
  }
  expect_failures = [var.operators]
}

run "operators_2" {
  command = plan
  variables {
    operators = ["me"]
  }
  expect_failures = [var.operators]
}

run "operators_3" {
  command = plan
  variables {
    operators = ["a@b.org,c@d.org"]
  }
  expect_failures = [var.operators]
}

run "allowed_users_1" {
  command = plan
  variables {
    allowed_users = ["me@"]
  }
  expect_failures = [var.allowed_users]
}

run "allowed_users_2" {
  command = plan
  variables {
    allowed_users = ["*.example.org"]
  }
  expect_failures = [var.allowed_users]
}

run "allowed_users_3" {
  command = plan
  variables {
    allowed_users = ["a b"]
  }
  expect_failures = [var.allowed_users]
}

run "google_oauth_client_id_1" {
  command = plan
  variables {
    google_oauth_client_id = "GOCSPX-secret"
  }
  expect_failures = [var.google_oauth_client_id]
}

run "google_oauth_client_id_2" {
  command = plan
  variables {
    google_oauth_client_id = ""
  }
  expect_failures = [var.google_oauth_client_id]
}

run "secret_versions_1" {
  command = plan
  variables {
    secret_versions = { YOUTUBE_API_KEY = "newest" }
  }
  expect_failures = [var.secret_versions]
}

run "packages_1" {
  command = plan
  variables {
    packages = ""
  }
  expect_failures = [var.packages]
}

run "domain_1" {
  command = plan
  variables {
    domain = "https://yts.example.org"
  }
  expect_failures = [var.domain]
}

run "domain_2" {
  command = plan
  variables {
    domain = "yts.example.org/page"
  }
  expect_failures = [var.domain]
}

run "domain_3" {
  command = plan
  variables {
    domain = "localhost"
  }
  expect_failures = [var.domain]
}

run "warm_instances_1" {
  command = plan
  variables {
    warm_instances = -1
  }
  expect_failures = [var.warm_instances]
}

run "warm_instances_2" {
  command = plan
  variables {
    warm_instances = 1.5
  }
  expect_failures = [var.warm_instances]
}

run "warm_instances_3" {
  command = plan
  variables {
    warm_instances = 50
  }
  expect_failures = [var.warm_instances]
}

run "environment_1" {
  command = plan
  variables {
    environment = { PORT = "80" }
  }
  expect_failures = [var.environment]
}

run "environment_2" {
  command = plan
  variables {
    environment = { YOUTUBE_API_KEY = "x" }
  }
  expect_failures = [var.environment]
}

run "environment_3" {
  command = plan
  variables {
    environment = { jobs_per_hour = "1" }
  }
  expect_failures = [var.environment]
}

run "egress_1" {
  command = plan
  variables {
    egress = "direct"
  }
  expect_failures = [var.egress]
}

run "webshare_proxy_username_1" {
  command = plan
  variables {
    webshare_proxy_username = "somebody"
  }
  expect_failures = [var.webshare_proxy_username]
}

run "fetch_concurrency_1" {
  command = plan
  variables {
    fetch_concurrency = 0
  }
  expect_failures = [var.fetch_concurrency]
}

run "fetch_concurrency_2" {
  command = plan
  variables {
    fetch_concurrency = 151
  }
  expect_failures = [var.fetch_concurrency]
}

run "fetch_concurrency_3" {
  command = plan
  variables {
    fetch_concurrency = 2.5
  }
  expect_failures = [var.fetch_concurrency]
}

run "transcript_languages_1" {
  command = plan
  variables {
    transcript_languages = ["english language"]
  }
  expect_failures = [var.transcript_languages]
}

run "elasticsearch_url_1" {
  command = plan
  variables {
    elasticsearch_url = "http://10.0.0.1:9200"
  }
  expect_failures = [var.elasticsearch_url]
}

run "elasticsearch_url_2" {
  command = plan
  variables {
    elasticsearch_url = "https://elastic:password@my.es.io"
  }
  expect_failures = [var.elasticsearch_url]
}

run "elasticsearch_version_1" {
  command = plan
  variables {
    elasticsearch_version = "7.17.0"
  }
  expect_failures = [var.elasticsearch_version]
}

run "elasticsearch_version_2" {
  command = plan
  variables {
    elasticsearch_version = "9.0.0"
  }
  expect_failures = [var.elasticsearch_version]
}

run "elasticsearch_version_3" {
  command = plan
  variables {
    elasticsearch_version = "latest"
  }
  expect_failures = [var.elasticsearch_version]
}

run "elasticsearch_machine_1" {
  command = plan
  variables {
    elasticsearch_machine = "large"
  }
  expect_failures = [var.elasticsearch_machine]
}

run "elasticsearch_heap_mb_1" {
  command = plan
  variables {
    elasticsearch_heap_mb = 256
  }
  expect_failures = [var.elasticsearch_heap_mb]
}

run "elasticsearch_heap_mb_2" {
  command = plan
  variables {
    elasticsearch_heap_mb = 40000
  }
  expect_failures = [var.elasticsearch_heap_mb]
}

run "elasticsearch_disk_gb_1" {
  command = plan
  variables {
    elasticsearch_disk_gb = 1
  }
  expect_failures = [var.elasticsearch_disk_gb]
}

run "alert_email_1" {
  command = plan
  variables {
    alert_email = "nobody"
  }
  expect_failures = [var.alert_email]
}

run "youtube_quota_1" {
  command = plan
  variables {
    youtube_quota = 10
  }
  expect_failures = [var.youtube_quota]
}

run "billing_account_1" {
  command = plan
  variables {
    billing_account = "my account"
  }
  expect_failures = [var.billing_account]
}

run "monthly_budget_1" {
  command = plan
  variables {
    monthly_budget = 0
  }
  expect_failures = [var.monthly_budget]
}

