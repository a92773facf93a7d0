"""What the functions share: one package, flat modules, each one idea (see docs/architecture.md)."""
