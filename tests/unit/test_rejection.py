"""Refusals of HTTP requests: what they say, and what they never say."""

from __future__ import annotations

import copy
import json

from protocol.rejection import Rejected, Rejection, error_body, rejected, unauthorized
from protocol.request import Credential, CredentialKind


class TestRejected:
    def test_it_names_parameter_value_and_what_is_allowed(self) -> None:
        refusal = rejected("format", "one of audio/wav, audio/mp3", "audio/ogg")
        message = "parameter 'format': expected one of audio/wav, audio/mp3, got 'audio/ogg'"
        assert refusal == Rejected(Rejection(400, "InvalidParameter", message, "format"))
        assert str(refusal) == message

    def test_a_missing_parameter_has_its_own_code(self) -> None:
        message = "parameter 'to': expected one of it, pt, got nothing"
        assert rejected("to", "one of it, pt", None).rejection == Rejection(400, "MissingParameter", message, "to")

    def test_equal_refusals_are_one(self) -> None:
        assert len({rejected("to", "it", "x"), rejected("to", "it", "x"), rejected("to", "it", "y")}) == 2

    def test_it_outlives_copying(self) -> None:
        error = Rejected(rejection=Rejection(400, "InvalidParameter", "no"))
        assert copy.copy(error) == error


class TestUnauthorized:
    def test_without_a_credential_it_says_where_one_may_stand(self) -> None:
        assert unauthorized(None) == Rejection(
            401,
            "Unauthorized",
            "credentials: expected a token in the header Authorization or the parameter access_token, or a key in the "
            "header Ocp-Apim-Subscription-Key or the parameter subscription-key; got none",
        )

    def test_a_wrong_one_is_described_without_its_value(self) -> None:
        message = unauthorized(Credential(CredentialKind.KEY, "s3cret", "query"), (CredentialKind.KEY,)).message
        assert message.endswith("; got a key in the query that is not valid")
        assert "token" not in message
        assert "s3cret" not in message

    def test_another_dialect_has_names_of_its_own(self) -> None:
        names = {CredentialKind.KEY: ("Some-Key", "some")}
        message = unauthorized(None, (CredentialKind.KEY,), names).message
        assert message == "credentials: expected a key in the header Some-Key or the parameter some; got none"


class TestErrorBody:
    """Requirement translator.handshake.error-body."""

    def test_the_parameter_is_there_if_there_is_one(self) -> None:
        body = error_body(Rejection(400, "InvalidParameter", "no è", "to"))
        assert json.loads(body) == {"error": {"code": "InvalidParameter", "message": "no è", "parameter": "to"}}

    def test_it_is_left_out_otherwise(self) -> None:
        assert error_body(Rejection(404, "NotFound", "path")) == b'{"error":{"code":"NotFound","message":"path"}}'
