"""infra/local/cli/api.py: errors are one line for a person."""

from __future__ import annotations

import pytest

from infra.local.cli.api import Api, ApiError
from infra.local.state_dir import StateDir


def test_a_gateway_that_does_not_answer_is_an_error_of_one_line(state: StateDir) -> None:
    api = Api("http://127.0.0.1:9", state, "demo", timeout=(1, 1))
    with pytest.raises(ApiError) as raised:
        api.new_token()
    assert str(raised.value) == (
        "http://127.0.0.1:9 does not answer (ConnectionError)."
        " See ./emulators.sh status and ./emulators.sh logs gateway"
    )


def test_a_user_name_must_be_an_id(state: StateDir) -> None:
    with pytest.raises(ApiError, match="expected a user name"):
        Api("http://127.0.0.1:9", state, "../demo")
