// Servers of other people: an App, and sites that have no business with ours.

import { createServer } from "node:http";

function listening(handler) {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const bytes of request) body += bytes;
    handler(request, response, body);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve({ server, port: server.address().port }));
  });
}

const closer = (server) => () => new Promise((resolve) => {
  server.close(resolve);
  server.closeAllConnections();
});

/**
 * An App. `answers` has a value, or a function of the call, for each path; what it got is in `calls`, as `{ path, …call }`.
 * Change `answers` and it answers otherwise from then on.
 */
export async function app(app_id, answers, more = {}) {
  const calls = [];
  const { server, port } = await listening(async (request, response, body) => {
    const path = request.url.split("?")[0];
    const call = body ? JSON.parse(body) : {};
    calls.push({ ...call, path, expected: call.path });
    const known = answers[path] ?? { type: "ok" };
    const answer = typeof known === "function" ? await known(call) : known;
    response.setHeader("Content-Type", "application/json").end(JSON.stringify(answer));
  });
  const manifest = {
    app_id, version: "v1.0.0", display_name: "Window", homepage_url: "https://example.com",
    requested_permissions: ["act_as_bot", "act_as_user", "remote_oauth2"],
    requested_locations: ["/command", "/channel_header", "/post_menu"],
    http: { root_url: `http://127.0.0.1:${port}` },
    ...more,
  };
  answers["/manifest.json"] ??= manifest;
  return { manifest, calls, answers, to: (path) => calls.filter((call) => call.path === path), close: closer(server) };
}

/** The bindings of an App: its command's children, and what else it offers elsewhere. */
export const bindings = (name, children, elsewhere = []) => ({
  type: "ok",
  data: [{ location: "/command", bindings: [{ location: name, label: name, bindings: children }] }, ...elsewhere],
});

/**
 * Somebody's website: `pages` by path, as HTML. `url(host)` is where it is under that name, `requests` what it got. As
 * `localhost` it is a neighbour of the demo's site, on the same site and of another origin; as `127.0.0.1` it is a stranger.
 */
export async function website(pages = {}) {
  const requests = [];
  const { server, port } = await listening((request, response, body) => {
    requests.push({ method: request.method, url: request.url, headers: request.headers, body });
    const page = pages[request.url.split("?")[0]];
    response.statusCode = page === undefined ? 404 : 200;
    response.setHeader("Content-Type", "text/html; charset=utf-8").end(page ?? "nothing");
  });
  return { pages, requests, url: (host = "127.0.0.1") => `http://${host}:${port}`, close: closer(server) };
}
