// The site's routes as a program uses them: what a test needs beside the browser.

const API = "plugins/com.mattermost.apps/api/v1";

/** Somebody who signed in at a demo: `get`, `post`, `put` and `del` are requests of theirs, and give what was answered. */
export async function person(demo, name) {
  const send = async (method, path, body, token) => {
    const answer = await fetch(new URL(path, `${demo.site_url}/`), {
      method, body: body === undefined ? undefined : JSON.stringify(body),
      headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    const json = answer.headers.get("content-type")?.includes("json") && text;
    return { value: json ? JSON.parse(text) : text, token: answer.headers.get("token") };
  };
  const { value: user, token } = await send("POST", "api/v4/users/login", { login_id: name, password: demo.password });
  const as = (method) => async (path, body) => (await send(method, path, body, token)).value;
  return { ...user, get: as("GET"), post: as("POST"), put: as("PUT"), del: as("DELETE") };
}

/** Lists an App and installs it, in place of one with its id. */
export async function install(demo, manifest) {
  const sysadmin = await person(demo, "sysadmin");
  await sysadmin.post(`${API}/update-app-listing`, { ...manifest, Replace: true, add_deploys: ["http"] });
  await sysadmin.post(`${API}/install-app`, { app_id: manifest.app_id, deploy_type: "http" });
}

/** Has the service keep the connections of the demo's App, at the demo's provider; gives what undoes that. */
export async function manage(demo) {
  const sysadmin = await person(demo, "sysadmin");
  const [, app] = demo.connect_url.match(/\/apps\/([^/]+)\//);
  const route = `plugins/com.mattermost.apps/tessera/v1/apps/${app}/provider`;
  const at = (path) => `"${demo.provider_url}/${path}"`;
  const descriptor = `name = "local"\ndisplay_name = "Local"\nauthorize_url = ${at("authorize")}\ntoken_url = ${at("token")}
userinfo_url = ${at("userinfo")}\nclient_auth = "basic"\nrevoke = { url = ${at("revoke")} }\npermissions_url = ${at("")}
scopes = { default = ["profile", "email", "calendar"] }\nreply = { account_id = ["sub"], account_name = ["email"] }\n`;
  await sysadmin.put(route, { descriptor });
  return () => sysadmin.del(route);
}

/** How many flows were begun at this site, by its own count. */
export async function flowsBegun(demo) {
  const text = await (await fetch(new URL("metrics", `${demo.site_url}/`))).text();
  const lines = text.split("\n").filter((line) => line.startsWith("tessera_flows_total{") && line.includes('step="begun"'));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** Apps that a person is connected with. */
export async function connections(who) {
  return who.get("plugins/com.mattermost.apps/tessera/v1/connections");
}

/** What people and bots posted in the channel in which the console opens. */
export async function posts(who) {
  const [team] = await who.get("api/v4/users/me/teams");
  const square = await who.get(`api/v4/teams/${team.id}/channels/name/town-square`);
  return Object.values((await who.get(`api/v4/channels/${square.id}/posts`)).posts);
}
