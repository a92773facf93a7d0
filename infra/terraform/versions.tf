# Read the files in this order: variables, project, store, topics, functions, access, secrets, schedule, edge, egress,
# search, watching, budget, outputs. ../pipeline.yaml says which topics, subscriptions and functions there are.

terraform {
  # 1.9: a validation may look at other variables.
  required_version = ">= 1.9"
  required_providers {
    google = {
      source = "hashicorp/google"
      # 8 is what the plans and tests here are made with, and what a first deployment gets. 7.45 is allowed because a
      # whole deployment was tried with it, against Google's own descriptions of its APIs. deploy.sh keeps the
      # version that the first deployment found, with its checksums, beside the state.
      version = ">= 7.45, < 9.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
  # Quotas and the state of APIs are those of this project, and not of the project in which somebody made gcloud.
  user_project_override = true
  billing_project       = var.project
}
