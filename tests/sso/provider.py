"""A small OpenID Connect provider on loopback: keeps codes, checks PKCE and the client, signs ID tokens.

Tests make it lie by `claims`, `header` and `answer`.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "vocelio-client", "s3cret&/ü"


class Provider:
    """The provider's state. `person` is who logs in; the rest is what it says of them."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
        self.person: dict[str, Any] = {}
        # Of the addresses that the organization lets in.
        self.domain = ""
        # Set over the claims and the header of each ID token; None takes one away.
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.metadata: dict[str, Any] = {}
        self.sign: Any = None
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.asked.append(self.path)
                if self.path.endswith("/.well-known/openid-configuration"):
                    self.answer(owner.description())
                elif self.path == "/keys":
                    self.answer({"keys": [owner.key.as_dict(private=False)]})
                elif self.path == "/userinfo" and owner.userinfo is not None:
                    self.answer(owner.userinfo)
                else:
                    self.answer({"error": "not_found"}, 404)

            def do_POST(self) -> None:
                owner.asked.append(self.path)
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                values = {name: value[0] for name, value in form.items()}
                self.answer(*owner.redeem(values, self.headers.get("Authorization", "")))

            def answer(self, body: Any, status: int = 200) -> None:
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.issuer = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def description(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.metadata,
        }

    def log_in(self, address: str, **changes: str) -> str:
        """Act as person and browser at the authorization endpoint; return the address of the redirect."""
        assert address.startswith(f"{self.issuer}/authorize?")
        query = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert set(query["scope"].split()) == {"openid", "email", "profile"}
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.issuer, **changes}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[dict[str, Any], int]:
        login = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if login is None or challenge.rstrip(b"=").decode() != login["code_challenge"]:
            return {"error": "invalid_grant"}, 400
        if form["redirect_uri"] != login["redirect_uri"] or form["grant_type"] != "authorization_code":
            return {"error": "invalid_grant"}, 400
        user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        given = (unquote(user), unquote(password)) if user else (form["client_id"], form.get("client_secret"))
        if given != (CLIENT_ID, CLIENT_SECRET):
            return {"error": "invalid_client"}, 401
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": login["nonce"],
            "email_verified": True,
            **self.person,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        sign = self.sign or self.signed
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": sign(claims)}, 200

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


def unsigned(claims: dict[str, Any]) -> str:
    """Return a token of the algorithm `none`."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
