"""The code that the functions share. Each package is one room; docs/architecture.md shows the layers."""

#: The version of yts. CHANGELOG.md says what each version changed.
__version__ = "0.2.0"
