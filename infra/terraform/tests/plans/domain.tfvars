# A domain, Elastic Cloud, a proxy, everything watched.
project                 = "my-yts-project"
operators               = ["me@example.org"]
google_oauth_client_id  = "123-abc.apps.googleusercontent.com"
domain                  = "yts.example.org"
elasticsearch_url       = "https://my.es.europe-west1.gcp.cloud.es.io"
egress                  = "proxy"
webshare_proxy_username = "somebody"
allowed_users           = ["*"]
warm_instances          = 1
billing_account         = "012345-6789AB-CDEF01"
