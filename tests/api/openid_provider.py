"""A small OpenID provider over HTTP: discovery, keys, the authorization code flow with PKCE, and tokens of every kind
that a service has to take or refuse."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwk, jwt

CLIENT, SECRET, AUDIENCE = "taiyi", "s3cret/with+signs", "taiyi-api"


class OpenIdProvider:
    """Somebody is always signed in there: ``person`` are the claims about them."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.person: dict[str, Any] = {"sub": "u1", "groups": ["cardiology"]}
        self.changed: dict[str, Any] = {}
        self.asked = Counter[str]()
        self.codes: dict[str, dict[str, str]] = {}
        self.stated_issuer: str | None = None
        self.keys = [self.new_key("first")]
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://{host}:{self._server.server_address[1]}/realm"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @staticmethod
    def new_key(kid: str) -> jwk.RSAKey:
        return jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}, private=True)

    def token(self, key: Any = None, alg: str = "RS256", kid: str | None = None, **claims: Any) -> str:
        """A token of the provider; a claim that is None is left out."""
        now = int(time.time())
        stated = {"iss": self.issuer, "aud": AUDIENCE, "iat": now, "exp": now + 300, **self.person, **claims}
        key = key or self.keys[0]
        header = {"alg": alg, "kid": kid or key.kid}
        return jwt.encode(header, {k: v for k, v in stated.items() if v is not None}, key, algorithms=[alg])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.stated_issuer or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def authorized(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def redeemed(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        begun = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        basic = base64.b64encode(f"{CLIENT}:s3cret%2Fwith%2Bsigns".encode()).decode()
        fits = (
            begun is not None
            and begun["code_challenge"] == challenge.rstrip(b"=").decode()
            and begun["redirect_uri"] == form.get("redirect_uri")
            and authorization == f"Basic {basic}"
        )
        if begun is None or not fits:
            return 400, {"error": "invalid_grant"}
        claims = {"aud": CLIENT, "nonce": begun["nonce"], **self.changed}
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": self.token(**claims)}


def _handler(provider: OpenIdProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            provider.asked[address.path] += 1
            match address.path:
                case "/realm/.well-known/openid-configuration":
                    self._say(200, provider.described())
                case "/realm/keys":
                    self._say(200, {"keys": [key.as_dict(private=False) for key in provider.keys]})
                case "/realm/authorize":
                    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
                    self.send_response(302)
                    self.send_header("location", provider.authorized(asked))
                    self.end_headers()
                case _:
                    self._say(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*provider.redeemed(form, self.headers.get("authorization", "")))

        def _say(self, status: int, body: dict[str, Any]) -> None:
            said = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
