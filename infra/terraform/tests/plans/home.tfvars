# Only workers at home ask YouTube; the largest values.
project                = "my-yts-project"
operators              = ["Me@Example.Org", "robot@my-yts-project.iam.gserviceaccount.com"]
allowed_users          = ["example.org", "@example.net", "a-friend@example.com"]
google_oauth_client_id = "123-abc.apps.googleusercontent.com"
egress                 = "none"
elasticsearch_machine  = "e2-standard-4"
elasticsearch_heap_mb  = 8192
elasticsearch_disk_gb  = 2000
youtube_quota          = 1000000
