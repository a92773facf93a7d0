from __future__ import annotations

from datetime import timedelta

from shared.gcp import firestore
from shared.transcripts.store import CLAIM
from shared.youtube.session import BUDGET, TIMEOUT


def test_a_claim_is_longer_than_the_longest_attempt() -> None:
    """An attempt is the commit of the claim, all requests, and one more connection and silence."""
    assert timedelta(seconds=firestore.TIMEOUT + BUDGET + sum(TIMEOUT)) < CLAIM
