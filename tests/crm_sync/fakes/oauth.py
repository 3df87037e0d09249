"""The tokens of a fake: pasted keys, the authorization-code flow, refreshes, revocation."""

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from tests.crm_sync.fakes.clock import Clock
from tests.crm_sync.fakes.wire import Answer, Refused, Request, Token

CLIENT_ID = "client-id"
CLIENT_SECRET = "client-secret"


class OAuth(Clock):
    """What a vendor's authorization server does."""

    # Seconds an access token lives, and whether a refresh uses the refresh token up.
    token_seconds: ClassVar[int] = 3600
    rotates: ClassVar[bool] = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.tokens: dict[str, Token] = {}
        self.grants: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}

    def grant(self, scope: str = "all") -> dict[str, Any]:
        """Return a new refresh token with an access token, as the code exchange does."""
        refresh = f"refresh-{secrets.token_hex(8)}"
        self.grants[refresh] = scope
        return {"refresh_token": refresh, "access_token": self.access_token(refresh, scope)}

    def access_token(self, refresh: str, scope: str = "all") -> str:
        token = f"access-{secrets.token_hex(8)}"
        self.tokens[token] = Token(scope, self.now + timedelta(seconds=self.token_seconds), refresh)
        return token

    def key(self) -> str:
        """Return a key that does not expire, as pasted by a person."""
        key = f"key-{secrets.token_hex(8)}"
        self.tokens[key] = Token("all", datetime.max.replace(tzinfo=UTC), "")
        return key

    def expire_tokens(self) -> None:
        """End every access token that can expire now."""
        for token in self.tokens.values():
            if token.grant:
                token.expires_at = self.now

    def revoke(self) -> None:
        """Let an administrator at the vendor's throw us out."""
        self.grants.clear()
        self.tokens.clear()

    def authorize(self, request: Request) -> Answer:
        """Consent at once, in the place of the person and the vendor's page."""
        query = request.query
        if query["client_id"] != CLIENT_ID:
            raise Refused(400, {"error": "invalid_client_id"})
        code = f"code-{secrets.token_hex(8)}"
        self.codes[code] = query
        back = {"code": code, "state": query.get("state", ""), **self.callback_extras()}
        return Answer(302, None, {"Location": f"{query['redirect_uri']}?{urlencode(back)}"})

    def callback_extras(self) -> dict[str, str]:
        return {}

    def client_of(self, request: Request) -> tuple[str, str]:
        """Return id and secret of the app that asks for a token: in the body, or by Basic."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            name, _, secret = base64.b64decode(value).decode().partition(":")
            return name, secret
        return request.body.get("client_id", ""), request.body.get("client_secret", "")

    def token(self, request: Request) -> Answer:
        form = request.body
        if self.client_of(request) != (CLIENT_ID, CLIENT_SECRET):
            return self.token_error("invalid_client")
        if form["grant_type"] == "authorization_code":
            asked = self.codes.pop(form["code"], None)
            if asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
                return self.token_error("invalid_grant")
            if challenge := asked.get("code_challenge"):
                digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
                if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
                    return self.token_error("invalid_grant")
            given = self.grant(asked.get("scope", ""))
            return Answer(200, self.token_body(given["access_token"], given["refresh_token"]))
        old = form["refresh_token"]
        if old not in self.grants:
            return self.token_error("invalid_grant")
        scope, new = self.grants[old], old
        if self.rotates:
            del self.grants[old]
            new = self.grant(scope)["refresh_token"]
        return Answer(200, self.token_body(self.access_token(new, scope), new if self.rotates else ""))

    def revoke_token(self, request: Request) -> Answer:
        given = request.body if isinstance(request.body, dict) and request.body else request.query
        self.grants.pop(given["token"], None)
        return Answer(200, {"status": "success"})

    def token_body(self, access: str, refresh: str) -> dict[str, Any]:
        body = {"access_token": access, "token_type": "Bearer", "expires_in": self.token_seconds}
        return {**body, "refresh_token": refresh} if refresh else body

    def token_error(self, error: str) -> Answer:
        return Answer(400, {"error": error, "error_description": "as the vendor says it"})
