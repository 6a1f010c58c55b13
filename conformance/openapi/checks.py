"""Checks beside those of schemathesis: what this service promises of every answer. Loaded into its process."""

import json

import schemathesis

# What everybody may know is stale at once, but may be kept: a client reads the server's version from such answers alone.
KNOWN_TO_ALL = ("/api/v4/system/ping", "/api/v4/config/client", "/api/v4/license/client")
INNER = ("panicked", ".rs:", "sqlite", "rusqlite", "SELECT ", "INSERT ", "unwrap", "tessera.db", "keys.db")


def text_of(response):
    return response.content.decode("utf-8", "replace")


def one(response, name):
    values = response.headers.get(name) or [None]
    return values[0]


@schemathesis.check
def protected(ctx, response, case):
    """Every answer names its request, is not to be guessed at and is kept by nobody."""
    assert one(response, "x-request-id"), "no X-Request-ID"
    assert one(response, "x-content-type-options") == "nosniff", "no X-Content-Type-Options"
    kept = one(response, "cache-control")
    if response.status_code == 200 and case.operation.path in KNOWN_TO_ALL:
        assert kept is None and one(response, "expires") == "0", f"Cache-Control: {kept}"
        return
    expected = "no-cache" if case.operation.path.endswith(("/openapi.json", "/console/{file}")) else "no-store"
    assert kept == expected or response.status_code >= 400, f"Cache-Control: {kept}"
    if response.status_code == 401:
        assert one(response, "www-authenticate") == "Bearer", "a 401 without WWW-Authenticate"


@schemathesis.check
def nothing_inner(ctx, response, case):
    """No answer tells of our source, our log or our disk, and none is the service's own failure."""
    if case.operation.path.endswith("/openapi.json"):
        return
    text = text_of(response)
    assert "internal error" not in text and "Panicked" not in text, text[:200]
    if response.status_code >= 400:
        for word in INNER:
            assert word not in text, f"{word!r} in {text[:200]!r}"


@schemathesis.check
def error_form(ctx, response, case):
    """Errors are a text that ends in one newline, JSON of one form, or a page."""
    if response.status_code < 400 or case.operation.path.endswith("/static/{name}"):
        return
    kind, text = one(response, "content-type"), text_of(response)
    if response.status_code == 405 and not text:
        return
    if kind == "application/json":
        error = json.loads(text)
        assert error["status_code"] == response.status_code and error["id"] and error["message"], text
    elif kind == "text/plain; charset=utf-8":
        assert text.endswith("\n") and text.strip() and not text.endswith("\n\n\n"), repr(text)
    else:
        assert kind == "text/html; charset=utf-8", f"an error of the type {kind}"


@schemathesis.check
def refused_method(ctx, response, case):
    """A method that a path does not have is 405 without a body, whatever it is."""
    if response.request.method.lower() in {method.lower() for method in case.operation.schema[case.operation.path]}:
        return
    if response.status_code == 404:
        assert "{" in case.operation.path, "404 for a method that the path does not have"
        return
    assert response.status_code == 405 and not response.content, f"{response.status_code}: {text_of(response)[:200]}"


@schemathesis.check
def record_or_nothing(ctx, response, case):
    """A user's record is JSON with its type, or there is neither."""
    if case.operation.definition.raw.get("operationId") != "getOAuth2User" or response.status_code != 200:
        return
    kind = one(response, "content-type")
    if response.content:
        json.loads(response.content)
        assert kind == "application/json", f"a record of the type {kind}"
    else:
        assert kind is None, f"nothing, of the type {kind}"
