// The site's routes. The page lies at the site's root, with whatever path that has.

const site = new URL(".", location.href);
const V4 = "api/v4";
const PLUGIN = "plugins/com.mattermost.apps";

/** Where the site is, as the page was asked for. */
export const siteUrl = site;

/** What went wrong with a request, in the server's words. */
export class Refused extends Error {
  constructor(status, text) {
    super(text || `The server answered ${status}.`);
    this.status = status;
  }
}

function csrf() {
  const pair = document.cookie.split("; ").find((cookie) => cookie.startsWith("MMCSRF="));
  return pair ? decodeURIComponent(pair.slice("MMCSRF=".length)) : "";
}

async function request(method, path, body) {
  const headers = method === "GET" ? {} : { "Content-Type": "application/json", "X-CSRF-Token": csrf() };
  const sent = body === undefined ? undefined : JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(new URL(path, site), { method, headers, body: sent });
  } catch {
    throw new Refused(0, "The server cannot be reached. Is it still running?");
  }
  const text = await answer.text();
  let value = text;
  try {
    value = JSON.parse(text);
  } catch {
    // The framework's errors are plain texts.
  }
  if (answer.ok) return value;
  if (answer.status === 401) location.reload();
  throw new Refused(answer.status, typeof value === "string" ? value.trim() : value?.message);
}

export const get = (path) => request("GET", `${V4}/${path}`);
export const post = (path, body) => request("POST", `${V4}/${path}`, body);

/** The bindings of all Apps for a place; a list, never null. */
export async function bindings(place) {
  const query = new URLSearchParams({ ...place, user_agent: "webapp" });
  return (await request("GET", `${PLUGIN}/api/v1/bindings?${query}`)) ?? [];
}

/** Has an App called; what went wrong on the way comes as an answer too. */
export async function call(creq) {
  try {
    return await request("POST", `${PLUGIN}/api/v1/call`, creq);
  } catch (error) {
    return { type: "error", text: error.message };
  }
}

/** The last calls that Apps got, newest first. */
export async function inspected() {
  return (await request("GET", `${PLUGIN}/tessera/v1/console/calls`)).calls;
}

/** Markdown as HTML that the server made safe. */
export async function markdown(text) {
  return (await request("POST", `${PLUGIN}/tessera/v1/console/markdown`, { text })).html;
}

const TESSERA = `${PLUGIN}/tessera/v1`;
const ofApp = (app) => `${TESSERA}/apps/${encodeURIComponent(app)}/provider`;

/** Every App, for administrators. */
export const apps = () => request("GET", `${TESSERA}/apps`);

/** Every provider that there is to choose, for administrators. */
export const providers = () => request("GET", `${TESSERA}/providers`);

/** An App's provider record, or null; with `check` the provider is asked about it now. */
export async function provider(app, check = false) {
  try {
    return await request("GET", `${ofApp(app)}?check=${check}`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** Writes an App's provider record, and gives it as it stands then. */
export const setProvider = (app, record) => request("PUT", ofApp(app), record);

/** Takes it away. */
export const removeProvider = (app) => request("DELETE", ofApp(app));
