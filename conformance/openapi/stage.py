"""A server of its own, an App, and those who ask."""

import html
import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

PLUGIN = "/plugins/com.mattermost.apps"
API = f"{PLUGIN}/api/v1"
PASSWORD = "tessera-dev"
PERMISSIONS = ["act_as_bot", "act_as_user", "remote_oauth2"]
LOCATIONS = ["/command", "/channel_header", "/post_menu"]
ICON = b"\x89PNG\r\n\x1a\nicon"
BINDINGS = [
    {"location": "/command", "bindings": [
        {"location": "hello", "label": "hello", "bindings": [
            {"location": "send", "label": "send", "submit": "/send"},
            {"location": "ask", "label": "ask", "form": {
                "title": "Ask", "submit": {"path": "/send", "expand": {"acting_user": "summary"}, "state": {"a": [1]}},
                "fields": [
                    {"name": "to", "type": "user", "is_required": True},
                    {"name": "how", "type": "static_select", "options": [{"label": "Loud", "value": "loud"}]},
                    {"name": "why", "type": "dynamic_select", "lookup": "/lookup", "value": {"label": "a", "value": "b"}},
                ]}},
        ]}]},
    {"location": "/post_menu", "bindings": [{"location": "later", "label": "Later", "icon": "icon.png", "form": "/form"}]},
]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)


class App(http.server.BaseHTTPRequestHandler):
    """An App: polite to every call, and it keeps the last context."""

    protocol_version = "HTTP/1.1"
    contexts = {}

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}"
        if self.path == "/token":
            # As a provider that knows the client, and no code.
            return self.reply(400, "application/json", b'{"error": "invalid_grant"}')
        request = json.loads(body)
        context = request.get("context", {})
        self.contexts[self.path] = context
        answer = {"type": "ok", "text": "Done."}
        if self.path == "/bindings":
            answer = {"type": "ok", "data": BINDINGS}
        elif self.path == "/form":
            answer = {"type": "form", "form": {"title": "Form", "submit": "/send"}}
        elif self.path == "/oauth2/connect":
            state = request.get("values", {}).get("state", "")
            port = self.server.server_address[1]
            answer = {"type": "ok", "data": f"http://127.0.0.1:{port}/authorize?state={state}"}
        self.reply(200, "application/json", json.dumps(answer).encode())

    def do_GET(self):
        if self.path == "/static/icon.png":
            return self.reply(200, "image/png", ICON)
        return self.reply(404, "text/plain", b"no such asset")

    def reply(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Stage:
    """Everything that a run needs; leaving it stops what it started."""

    def __init__(self, limits):
        binary = os.environ.get("TESSERA_BIN")
        if not binary:
            raise SystemExit("TESSERA_BIN must name the tessera binary to be tested, such as target/debug/tessera.")
        self.folder = tempfile.TemporaryDirectory(prefix="tessera-openapi-")
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TESSERA_")}
        environment.update(limits)
        command = [binary, "serve", "--dev", "--listen", "127.0.0.1:0", "--data", os.path.join(self.folder.name, "data")]
        self.server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.app = http.server.ThreadingHTTPServer(("127.0.0.1", 0), App)
        threading.Thread(target=self.app.serve_forever, daemon=True).start()
        try:
            ready = self.server.stdout.readline()
            if not ready.startswith("tessera ready on "):
                raise SystemExit(f"the server did not start: {ready}{self.told()}")
            self.site = re.search(r"http://\S+", ready)[0]
            self.people()
        except BaseException:
            self.close()
            raise

    def people(self):
        """Those who ask, and what they may name."""
        self.admin, self.user, self.other = (self.sign_in(name) for name in ("sysadmin", "user-1", "user-2"))
        self.install("hello")
        # Who is connected is not asked again, and who is not has nothing to end.
        self.forms = {"confirmConnect": self.form(f"{PLUGIN}/apps/hello/oauth2/remote/connect")}
        self.store_credentials()
        self.forms["pressAccounts"] = self.form(f"{PLUGIN}/tessera/v1/accounts")
        team = self.ask("GET", "/api/v4/teams/name/tessera", self.user)
        channel = self.ask("GET", f"/api/v4/teams/{team['id']}/channels/name/town-square", self.user)
        # A bot is in no team by itself, and would see nothing but refusals.
        for place in (f"teams/{team['id']}", f"channels/{channel['id']}"):
            self.ask("POST", f"/api/v4/{place}/members", self.admin, {"user_id": self.bot["id"]})
        post = self.ask("POST", "/api/v4/posts", self.user, {"channel_id": channel["id"], "message": "Hi"})
        self.names = {"team": team["id"], "channel": channel["id"], "post": post["id"]}
        self.names["user"], self.names["admin"] = self.user["id"], self.admin["id"]
        self.names["app"] = f"http://127.0.0.1:{self.app.server_address[1]}"

    def sign_in(self, name):
        body = {"login_id": name, "password": PASSWORD}
        status, headers, user = self.send("POST", "/api/v4/users/login", {}, body)
        if status != 200:
            raise SystemExit(f"{name} could not sign in: {status} {user}")
        cookies = dict(re.findall(r"(MM\w+)=([^;]+)", "\n".join(headers.get_all("Set-Cookie"))))
        return {"id": user["id"], "token": headers["Token"], "csrf": cookies["MMCSRF"]}

    def list(self, app):
        manifest = {
            "app_id": app, "display_name": app.capitalize(), "homepage_url": "http://app.example.com",
            "requested_permissions": PERMISSIONS, "requested_locations": LOCATIONS, "icon": "icon.png",
            "http": {"root_url": f"http://127.0.0.1:{self.app.server_address[1]}"}, "Replace": True,
        }
        self.ask("POST", f"{API}/update-app-listing", self.admin, manifest)

    def install(self, app):
        self.list(app)
        self.ask("POST", f"{API}/install-app", self.admin, {"app_id": app, "deploy_type": "http"})

    def form(self, path):
        """The token of the form on a page."""
        cookie = {"Cookie": f"MMAUTHTOKEN={self.user['token']}", "Accept": "text/html"}
        status, _, page = self.send("GET", path, cookie)
        found = re.search(r'name="token" value="([^"]+)"', page)
        if not found:
            raise SystemExit(f"no form on {path}, which answered {status}: {page}")
        return html.unescape(found[1])

    def context(self, person):
        """What the App hears of a person's call."""
        everything = {"acting_user": "all", "acting_user_access_token": "all", "app": "all", "oauth2_app": "all"}
        call = {"path": "/tokens", "context": {"app_id": "hello"}, "expand": everything}
        self.ask("POST", f"{API}/call", person, call)
        return App.contexts["/tokens"]

    def store_credentials(self):
        """A client and a record, so that there is something to read, and the tokens to read it with."""
        as_user, as_admin = self.context(self.user), self.context(self.admin)
        self.acting = {"id": self.user["id"], "token": as_user["acting_user_access_token"]}
        self.bot = {"id": as_user["bot_user_id"], "token": as_user["bot_access_token"]}
        acting_admin = {"token": as_admin["acting_user_access_token"]}
        self.ask("PUT", f"{API}/oauth2/app", acting_admin, {"client_id": "tea", "client_secret": "s3cret"})
        for who in (self.acting, self.bot, acting_admin):
            self.connect(who)

    def connect(self, who=None):
        """A record, as the App stores it."""
        self.ask("PUT", f"{API}/oauth2/user", who or self.acting, {"token": "abc"})

    def ask(self, method, path, who, body=None):
        status, _, answer = self.send(method, path, {"Authorization": f"Bearer {who['token']}"}, body)
        if status >= 300:
            raise SystemExit(f"{method} {path} answered {status}: {answer}")
        return answer

    def send(self, method, path, headers, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.site + path, data, headers, method=method)
        try:
            with OPENER.open(request, timeout=30) as answer:
                return answer.status, answer.headers, content(answer)
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, content(answer)

    def told(self):
        """The end of the server's log."""
        self.log.flush()
        self.log.seek(0)
        return "".join(self.log.readlines()[-20:])

    def close(self):
        self.server.terminate()
        try:
            self.server.wait(30)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
        self.server.stdout.close()
        self.app.shutdown()
        self.app.server_close()
        self.log.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def content(answer):
    text = answer.read().decode()
    return json.loads(text) if text and "json" in (answer.headers["Content-Type"] or "") else text
