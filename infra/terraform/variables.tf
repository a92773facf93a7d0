# What a person chooses. deploy.sh asks for those without a default, and keeps the answers in terraform.tfvars.

variable "project" {
  description = "The id of the Google Cloud project. It should hold nothing else."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project: expected the id of a project, 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "Where everything is. The place of the database can never be changed."
  type        = string
  default     = "europe-west1"
  nullable    = false
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]{1,2}$", var.region))
    error_message = "region: expected the name of a region, such as europe-west1 or us-central1."
  }
}

variable "operators" {
  description = "Those who run this may call reindex, and see the operator's page: addresses of people, and of service accounts. No groups."
  type        = list(string)
  nullable    = false
  validation {
    condition     = alltrue([for each in var.operators : can(regex("^[A-Za-z0-9._%+'-]+@([A-Za-z0-9-]+\\.)+[A-Za-z]{2,63}$", each))])
    error_message = "operators: expected e-mail addresses, such as [\"me@example.org\"]."
  }
  validation {
    condition     = anytrue([for each in var.operators : !endswith(lower(each), ".gserviceaccount.com")])
    error_message = "operators: expected the address of at least one person. Service accounts cannot sign in, and read no mail."
  }
}

variable "allowed_users" {
  description = "Who may sign in: e-mail addresses, domains such as example.org, or * for everybody. Empty: the operators."
  type        = list(string)
  default     = []
  nullable    = false
  validation {
    condition     = alltrue([for each in var.allowed_users : each == "*" || can(regex("^([A-Za-z0-9._%+'-]*@)?([A-Za-z0-9-]+\\.)+[A-Za-z]{2,63}$", each))])
    error_message = "allowed_users: expected e-mail addresses, domains such as example.org, or \"*\" for everybody."
  }
}

variable "google_oauth_client_id" {
  description = "The id of the OAuth client with which people sign in (docs/deploying.md)."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[0-9]+-[a-z0-9]+\\.apps\\.googleusercontent\\.com$", var.google_oauth_client_id))
    error_message = "google_oauth_client_id: expected the id of an OAuth client, which ends with .apps.googleusercontent.com."
  }
}

variable "secret_versions" {
  description = "The version of each secret, by the name of its variable. deploy.sh sets it. Without one: the latest."
  type        = map(string)
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for each in values(var.secret_versions) : can(regex("^([1-9][0-9]*|latest)$", each))])
    error_message = "secret_versions: expected numbers of versions, such as {YOUTUBE_API_KEY = \"2\"}."
  }
}

variable "packages" {
  description = "The directory with one zip for each function. `python3 -m infra.packages DIRECTORY` makes it."
  type        = string
  default     = ".packages"
  nullable    = false
  validation {
    condition     = var.packages != ""
    error_message = "packages: expected a directory."
  }
}

# -- the page --------------------------------------------------------------------------------------

variable "domain" {
  description = "The domain of the page. Empty: the page is at an address of Google's, and there is no fixed cost."
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = var.domain == "" || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain))
    error_message = "domain: expected a domain such as yts.example.org, without https:// and without a path."
  }
}

variable "warm_instances" {
  description = "Instances of what serves the page that always run. With 0 the first visit takes some seconds."
  type        = number
  default     = 0
  nullable    = false
  validation {
    condition     = var.warm_instances >= 0 && var.warm_instances <= 2 && floor(var.warm_instances) == var.warm_instances
    error_message = "warm_instances: expected 0, 1 or 2."
  }
}

variable "environment" {
  description = "Further variables of README.md for all functions, such as {JOBS_PER_HOUR = \"20\"}."
  type        = map(string)
  default     = {}
  nullable    = false
  # Other variables of README.md are secrets, are of the local run, or follow from the variables here. A wrong one would
  # stop all functions.
  validation {
    condition = alltrue([for each in keys(var.environment) : contains([
      "ELASTICSEARCH_INDEX_PREFIX", "EMBEDDER", "EMBEDDER_MODELS", "FETCH_AGAIN_PER_DAY", "JOBS_AT_ONCE", "JOBS_PER_HOUR", "OWNER_USER_ID",
      "REFRESH_UNITS_PER_DAY", "STALLED_AFTER_SECONDS", "YOUTUBE_PARTIAL_ANSWERS",
    ], each)])
    error_message = "environment: expected only FETCH_AGAIN_PER_DAY, JOBS_AT_ONCE, JOBS_PER_HOUR, REFRESH_UNITS_PER_DAY, STALLED_AFTER_SECONDS, ELASTICSEARCH_INDEX_PREFIX, EMBEDDER, EMBEDDER_MODELS, OWNER_USER_ID or YOUTUBE_PARTIAL_ANSWERS."
  }
  validation {
    # The largest values are those of shared/config.py.
    condition = alltrue([for name, most in {
      FETCH_AGAIN_PER_DAY   = 1000000, JOBS_AT_ONCE = 10000, JOBS_PER_HOUR = 10000, REFRESH_UNITS_PER_DAY = 100000000,
      STALLED_AFTER_SECONDS = 86400
      } : can(regex("^[1-9][0-9]{0,8}$", lookup(var.environment, name, "1"))) && try(tonumber(lookup(var.environment, name, "1")), most + 1) <= most
    ])
    error_message = "environment: expected whole numbers from 1: JOBS_AT_ONCE and JOBS_PER_HOUR up to 10000, STALLED_AFTER_SECONDS up to 86400, FETCH_AGAIN_PER_DAY up to 1000000, REFRESH_UNITS_PER_DAY up to 100000000."
  }
  validation {
    condition     = can(regex("^[a-z][a-z0-9_-]{0,62}$", lookup(var.environment, "ELASTICSEARCH_INDEX_PREFIX", "yts")))
    error_message = "environment: expected lower-case letters, digits, _ and - as ELASTICSEARCH_INDEX_PREFIX."
  }
  validation {
    condition     = contains(["on", "off"], lookup(var.environment, "YOUTUBE_PARTIAL_ANSWERS", "on"))
    error_message = "environment: expected on or off as YOUTUBE_PARTIAL_ANSWERS."
  }
  validation {
    condition     = can(regex("^(?:use|off|fastembed:[A-Za-z0-9][A-Za-z0-9._/-]{0,99})$", lookup(var.environment, "EMBEDDER", "use")))
    error_message = "environment: expected use, off or fastembed:MODEL as EMBEDDER."
  }
}

# -- the way to YouTube ----------------------------------------------------------------------------

variable "egress" {
  description = "nat: an address of one's own. proxy: always a paid proxy. none: only workers at home ask YouTube."
  type        = string
  default     = "nat"
  nullable    = false
  validation {
    condition     = contains(["nat", "proxy", "none"], var.egress)
    error_message = "egress: expected nat, proxy or none."
  }
}

variable "home_worker" {
  description = "Whether a worker at home may pull videos, too (docs/worker.md). Always with egress = none."
  type        = bool
  default     = false
  nullable    = false
}

variable "webshare_proxy_username" {
  description = "The user of a proxy of Webshare, for egress = proxy. Empty: the secret PROXY_URL names another proxy."
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = var.webshare_proxy_username == "" || (var.egress == "proxy" && can(regex("^\\S+$", var.webshare_proxy_username)))
    error_message = "webshare_proxy_username: expected a name without spaces, and only with egress = proxy."
  }
}

variable "fetch_concurrency" {
  description = "The most videos that are requested from YouTube at the same time."
  type        = number
  default     = 50
  nullable    = false
  validation {
    condition     = var.fetch_concurrency >= 1 && var.fetch_concurrency <= 150 && floor(var.fetch_concurrency) == var.fetch_concurrency
    error_message = "fetch_concurrency: expected a whole number from 1 to 150."
  }
}

variable "transcript_languages" {
  description = "Preferred languages of captions, such as [\"en\", \"pt-BR\"]. Empty: the language that is spoken."
  type        = list(string)
  default     = []
  nullable    = false
  validation {
    condition     = alltrue([for each in var.transcript_languages : can(regex("^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", each))])
    error_message = "transcript_languages: expected language codes such as en or pt-BR."
  }
}

# -- the search server -----------------------------------------------------------------------------

variable "elasticsearch_url" {
  description = "The address of an Elastic Cloud Hosted deployment. Empty: a virtual machine of this project."
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = var.elasticsearch_url == "" || can(regex("^https://[^\\s/:@]+(:[0-9]{1,5})?/?$", var.elasticsearch_url))
    error_message = "elasticsearch_url: expected an address that starts with https://, without a password in it."
  }
}

variable "elasticsearch_version" {
  description = "The version on the virtual machine. Empty: that of the local run."
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = var.elasticsearch_version == "" || can(regex("^8\\.(1[5-9]|[2-9][0-9])\\.[0-9]+$", var.elasticsearch_version))
    error_message = "elasticsearch_version: expected a version from 8.15.0 on, such as 8.19.16."
  }
}

variable "elasticsearch_machine" {
  description = "The type of the virtual machine."
  type        = string
  default     = "e2-medium"
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9]+-[a-z0-9-]+$", var.elasticsearch_machine))
    error_message = "elasticsearch_machine: expected a type of machine, such as e2-medium or e2-standard-2."
  }
}

variable "elasticsearch_heap_mb" {
  description = "The heap of Elasticsearch, at most half of the machine's memory."
  type        = number
  default     = 1536
  nullable    = false
  validation {
    condition     = var.elasticsearch_heap_mb >= 512 && var.elasticsearch_heap_mb <= 31744 && floor(var.elasticsearch_heap_mb) == var.elasticsearch_heap_mb
    error_message = "elasticsearch_heap_mb: expected a whole number of megabytes from 512 to 31744."
  }
  validation {
    # Outside of the heap, the files of the index need memory. Without that the machine runs out of it again and again.
    condition     = var.elasticsearch_heap_mb <= 512 * try(local.machines[var.elasticsearch_machine].memory, 62)
    error_message = "elasticsearch_heap_mb: expected at most half of the machine's memory. Choose a larger elasticsearch_machine."
  }
}

variable "elasticsearch_disk_gb" {
  description = "The disk of the index: about 2.1 GB for 10,000 videos, and twice that during a rebuild. It can only grow."
  type        = number
  default     = 20
  nullable    = false
  validation {
    condition     = var.elasticsearch_disk_gb >= 10 && var.elasticsearch_disk_gb <= 2000 && floor(var.elasticsearch_disk_gb) == var.elasticsearch_disk_gb
    error_message = "elasticsearch_disk_gb: expected a whole number of gigabytes from 10 to 2000."
  }
}

# -- watching --------------------------------------------------------------------------------------

variable "alert_email" {
  description = "Who gets alerts. Empty: the first operator who is a person."
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = var.alert_email == "" || can(regex("^[A-Za-z0-9._%+'-]+@([A-Za-z0-9-]+\\.)+[A-Za-z]{2,63}$", var.alert_email))
    error_message = "alert_email: expected an e-mail address."
  }
}

variable "youtube_quota" {
  description = "Units of the YouTube Data API that the project has a day. An alert comes at four fifths."
  type        = number
  default     = 10000
  nullable    = false
  validation {
    condition     = var.youtube_quota >= 100 && floor(var.youtube_quota) == var.youtube_quota
    error_message = "youtube_quota: expected a whole number of units a day, at least 100."
  }
}

variable "billing_account" {
  description = "The billing account for the budget, such as 012345-6789AB-CDEF01. Empty: no budget."
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = var.billing_account == "" || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account: expected the id of a billing account, such as 012345-6789AB-CDEF01."
  }
}

variable "monthly_budget" {
  description = "The budget of a month, in the currency of the billing account. Mails come at 50, 90 and 100 %."
  type        = number
  default     = 60
  nullable    = false
  validation {
    condition     = var.monthly_budget >= 1 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "monthly_budget: expected a whole number, at least 1."
  }
}
