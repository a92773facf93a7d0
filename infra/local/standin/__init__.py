"""The stand-in YouTube: YouTube's and Google's wire formats, spoken to the unmodified client libraries.

``python -m infra.local.standin --port N`` starts it; README.md beside this file lists what it
serves and how faults are set. Tests start it in their own process with :mod:`.inprocess`.
"""
