# No domain, a search server and an address of one's own.
project                = "my-yts-project"
operators              = ["me@example.org"]
google_oauth_client_id = "123-abc.apps.googleusercontent.com"
