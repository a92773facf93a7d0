# deploy.sh makes the bucket and names it.
terraform {
  backend "gcs" {
    prefix = "yts"
  }
}
