# Firestore holds the truth: jobs, transcripts, users. Everything else can be made again from it.

resource "google_firestore_database" "store" {
  project     = local.project
  name        = "(default)"
  location_id = var.region
  type        = "FIRESTORE_NATIVE"
  # Documents are changed under preconditions and never locked.
  concurrency_mode                  = "OPTIMISTIC"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  # `terraform destroy` forgets the database and leaves it where it is.
  deletion_policy = "ABANDON"
}

resource "google_firestore_backup_schedule" "daily" {
  project   = local.project
  database  = google_firestore_database.store.name
  retention = "604800s"
  daily_recurrence {}
}

resource "google_firestore_index" "composite" {
  for_each    = { for each in local.pipeline.firestore.composite_indexes : "${each.collection}-${join("-", each.fields)}" => each }
  project     = local.project
  database    = google_firestore_database.store.name
  collection  = each.value.collection
  query_scope = each.value.scope

  dynamic "fields" {
    for_each = [for field in each.value.fields : split(" ", field)]
    content {
      field_path = fields.value[0]
      order      = try(fields.value[1], "asc") == "desc" ? "DESCENDING" : "ASCENDING"
    }
  }
}

# An empty index_config means: no index.
resource "google_firestore_field" "unindexed" {
  for_each   = toset(local.pipeline.firestore.unqueried_collections)
  project    = local.project
  database   = google_firestore_database.store.name
  collection = each.key
  field      = "*"
  index_config {}
}

resource "google_firestore_field" "expiring" {
  for_each   = { for each in local.pipeline.firestore.time_to_live : each.collection => each.field }
  project    = local.project
  database   = google_firestore_database.store.name
  collection = each.key
  field      = each.value
  ttl_config {}
  index_config {}
}
