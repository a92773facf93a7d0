"""What happens to requests whatever they ask for: statistics, latency, and budgets of addresses."""
