"""The fake YouTube: a server that speaks the wire formats of YouTube and of Google sign-in to
unmodified clients, for local runs and tests, with faults and latency on request.

``python -m infra.local.fake_youtube --port N`` starts it. Tests start it in a background thread with
:mod:`.live_server`. README.md beside this file describes what it serves and its control API.
"""
