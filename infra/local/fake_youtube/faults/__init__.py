"""Faults on request: rules that select requests, and the wrong answers that these receive."""
