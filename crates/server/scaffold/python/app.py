"""A Mattermost App that connects its users' accounts at an OAuth2 provider.

It keeps nothing itself: the client id and secret, and each user's token, are with the server, which sends them along
with the calls that ask for them (`oauth2_app`, `oauth2_user`). It needs Python 3.9 and nothing else.
"""

import base64
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

APP_ID = "my-app"
DISPLAY_NAME = "My App"
# What is asked for: who the user is. Add here what the App is to do in their name.
SCOPE = "openid profile email"
OAUTH2 = "/plugins/com.mattermost.apps/api/v1/oauth2"


class Failure(Exception):
    """What a person is told when something fails."""


# What the App is, and what can be typed.


def manifest(root_url):
    return {
        "app_id": APP_ID,
        "display_name": DISPLAY_NAME,
        "homepage_url": "https://example.com",
        "requested_permissions": ["act_as_user", "remote_oauth2"],
        "requested_locations": ["/command"],
        "http": {"root_url": root_url},
    }


def call(path, **expand):
    return {"path": path, "expand": expand}


def bindings(creq):
    as_user = {"acting_user": "+summary", "acting_user_access_token": "+all"}
    configure = {
        "title": "Configure",
        "submit": call("/configure", oauth2_app="all", **as_user),
        "fields": [
            {"name": "client_id", "type": "text", "is_required": True},
            {"name": "client_secret", "type": "text", "subtype": "password", "is_required": True},
            {"name": "provider_url", "type": "text", "is_required": True},
        ],
    }
    me = call("/me", oauth2_app="all", oauth2_user="all", **as_user)
    disconnect = call("/disconnect", oauth2_user="all", **as_user)
    commands = [
        {"location": "configure", "description": "Name the OAuth2 provider", "form": configure},
        {"location": "connect", "description": "Connect", "submit": call("/connect", oauth2_app="all")},
        {"location": "me", "description": "Who am I at the provider?", "submit": me},
        {"location": "disconnect", "description": "Forget my account", "submit": disconnect},
    ]
    top = {"location": APP_ID, "description": DISPLAY_NAME, "bindings": commands}
    return {"type": "ok", "data": [{"location": "/command", "bindings": [top]}]}


# What each call does.


def configure(creq):
    """For administrators: which provider, and what this App is called there."""
    values = {name: str(value).strip() for name, value in creq["values"].items()}
    discover(values["provider_url"])
    record = {
        "client_id": values["client_id"],
        "client_secret": values["client_secret"],
        "remote_root_url": values["provider_url"],
    }
    store(creq, "app", record)
    redirect_uri = creq["context"]["oauth2"]["complete_url"]
    return text(f"Stored. Register this redirect URI at the provider: `{redirect_uri}`")


def connect(creq):
    return text(f"[Connect your account]({creq['context']['oauth2']['connect_url']})")


def oauth2_connect(creq):
    """Where the browser shall go. The server made the state, and will check it."""
    oauth2, endpoints = provider(creq)
    query = {
        "response_type": "code",
        "client_id": oauth2["client_id"],
        "redirect_uri": oauth2["complete_url"],
        "scope": SCOPE,
        "state": creq["values"]["state"],
        # How Google is asked for a refresh token; others pass over it.
        "access_type": "offline",
        "prompt": "consent",
    }
    return {"type": "ok", "data": f"{endpoints['authorization_endpoint']}?{urllib.parse.urlencode(query)}"}


def oauth2_complete(creq):
    """The provider sent the browser back: the code becomes a token, and the token the user's record."""
    values = creq["values"]
    if "error" in values:
        raise Failure(f"the provider refused: {values['error']}")
    form = {
        "grant_type": "authorization_code",
        "code": values["code"],
        "redirect_uri": creq["context"]["oauth2"]["complete_url"],
    }
    store(creq, "user", swap(creq, form))
    return {"type": "ok"}


def me(creq):
    """Uses the token: asks the provider whose it is."""
    token = creq["context"]["oauth2"].get("user")
    if not token:
        raise Failure(f"You are not connected: type `/{APP_ID} connect`")
    if token.get("expires_at", float("inf")) < time.time() + 30 and "refresh_token" in token:
        old = {"refresh_token": token["refresh_token"]}
        # An answer without a new refresh token leaves the old one in force.
        token = {**old, **swap(creq, {"grant_type": "refresh_token", **old})}
        store(creq, "user", token)
    _, endpoints = provider(creq)
    user = send(endpoints["userinfo_endpoint"], f"Bearer {token['access_token']}")
    # Somebody else's text, to be shown as code: it must not end the code.
    name = str(user.get("name", user["sub"])).replace("`", "'")
    return text(f"At the provider you are `{name}`.")


def disconnect(creq):
    if not creq["context"]["oauth2"].get("user"):
        raise Failure(f"You are not connected: type `/{APP_ID} connect`")
    store(creq, "user", None)
    return text("Your account is forgotten.")


CALLS = {
    "/ping": lambda creq: {"type": "ok"},
    "/bindings": bindings,
    "/configure": configure,
    "/connect": connect,
    "/me": me,
    "/disconnect": disconnect,
    # These two are called while a browser is on its way to the provider, and back.
    "/oauth2/connect": oauth2_connect,
    "/oauth2/complete": oauth2_complete,
}


# The server and the provider.


def text(markdown):
    return {"type": "ok", "text": markdown}


def store(creq, what, record):
    """Stores the App's client (`app`) or the user's record (`user`; `None` forgets it), as the acting user."""
    context = creq["context"]
    bearer = f"Bearer {context['acting_user_access_token']}"
    send(f"{context['mattermost_site_url']}{OAUTH2}/{what}", bearer, json.dumps(record).encode(), "application/json")


def discover(root_url):
    """Asks the provider where everything is (OpenID Connect Discovery, RFC 8414)."""
    root_url = root_url.rstrip("/")
    for name in ("openid-configuration", "oauth-authorization-server"):
        try:
            endpoints = send(f"{root_url}/.well-known/{name}")
        except Failure:
            continue
        # Only the provider itself may say where codes and secrets go.
        if endpoints.get("issuer", "").rstrip("/") == root_url:
            return endpoints
    raise Failure(f"no OAuth2 provider describes itself at {root_url}")


def provider(creq):
    """The App's credentials, and the endpoints of the provider that an administrator named with `configure`."""
    oauth2 = creq["context"]["oauth2"]
    if not oauth2.get("client_id"):
        raise Failure("an administrator has to configure this App first")
    return oauth2, discover(oauth2.get("remote_root_url", ""))


def swap(creq, form):
    """Swaps a code or a refresh token for a token (RFC 6749 sections 4.1.3 and 6)."""
    oauth2, endpoints = provider(creq)
    client = f"{oauth2['client_id']}:{oauth2['client_secret']}".encode()
    basic = f"Basic {base64.b64encode(client).decode()}"
    body = urllib.parse.urlencode(form).encode()
    token = send(endpoints["token_endpoint"], basic, body, "application/x-www-form-urlencoded")
    if "expires_in" in token:
        token["expires_at"] = time.time() + int(token["expires_in"])
    return token


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Secrets go where they were meant to go, and nowhere else."""

    def redirect_request(self, *args):
        return None


http = urllib.request.build_opener(NoRedirect)


def send(url, authorization=None, body=None, content_type=None):
    """Sends a request, and gives the JSON of a 200. Of any other answer only the status is told."""
    headers = {"Authorization": authorization, "Content-Type": content_type, "Accept": "application/json"}
    headers = {name: value for name, value in headers.items() if value}
    try:
        with http.open(urllib.request.Request(url, body, headers), timeout=10) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        place = url.split("?")[0]
        if error.code in (400, 401):
            raise Failure(f"{place} does not accept this connection: connect again") from None
        raise Failure(f"{place} answered with status {error.code}") from None
    except (OSError, ValueError):
        raise Failure(f"{url.split('?')[0]} cannot be reached, or its answer cannot be read") from None


class Handler(BaseHTTPRequestHandler):
    # Connections are kept: that is quicker, and `tessera dev` sees by it when the App was started again.
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/manifest.json":
            self.reply(manifest(f"http://127.0.0.1:{self.server.server_port}"))
        else:
            self.send_error(404)

    def do_POST(self):
        answer = CALLS.get(self.path)
        if answer is None:
            return self.send_error(404)
        creq = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        creq.setdefault("values", {})
        try:
            self.reply(answer(creq))
        except Failure as failure:
            # The status is 200 all the same: it is the App's answer.
            self.reply({"type": "error", "text": str(failure)})
        except KeyError as missing:
            self.reply({"type": "error", "text": f"what came has no {missing}"})

    def reply(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        """The address of a request may hold a code: nothing of it is printed."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "4000"))), Handler)
    print(f"{APP_ID} answers on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
