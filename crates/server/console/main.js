// The console: who is there, where, and what Apps offer.

import { bindings, get, post, siteUrl } from "./api.js";
import { buttons, here } from "./calls.js";
import { setCommands, type } from "./composer.js";
import { byId, el } from "./dom.js";
import { clear, failed, offer, posted } from "./messages.js";
import { offerTo } from "./providers.js";
import { listen } from "./socket.js";

const REFRESH = "custom_com.mattermost.apps_refresh_bindings";
const NAMES = new Map();

let me;
let channels = [];

async function nameOf(userId) {
  if (!NAMES.has(userId)) {
    NAMES.set(userId, get(`users/${userId}`).then((user) => user.username, () => "somebody"));
  }
  return NAMES.get(userId);
}

function titleOf(channel) {
  return channel.type === "D" ? `@ ${channel.title}` : channel.display_name;
}

async function loadChannels() {
  const list = await get(`users/me/teams/${here.team_id}/channels`);
  for (const channel of list.filter((one) => one.type === "D")) {
    const other = channel.name.split("__").find((id) => id !== me.id) ?? me.id;
    channel.title = await nameOf(other);
  }
  channels = list.sort((a, b) => (a.type === "D") - (b.type === "D") || titleOf(a).localeCompare(titleOf(b)));
  drawChannels();
}

function drawChannels() {
  byId("channels").replaceChildren(...channels.map((channel) => el("li", {}, el("button", {
    type: "button", "aria-current": channel.id === here.channel_id ? "page" : undefined,
    onclick: () => enter(channel),
  }, titleOf(channel)))));
}

async function enter(channel) {
  here.channel_id = channel.id;
  byId("channel").textContent = titleOf(channel);
  document.title = `${titleOf(channel)} · Tessera`;
  drawChannels();
  const tree = await fetchBindings();
  if (here.channel_id !== channel.id) return;
  clear(welcome(tree));
  await loadPosts();
}

/** What was posted here; what is on the screen already stays as it is. */
async function loadPosts() {
  const channel = here.channel_id;
  const list = await get(`channels/${channel}/posts`);
  for (const id of [...list.order].reverse()) {
    const message = list.posts[id];
    const name = await nameOf(message.user_id);
    if (here.channel_id !== channel) return;
    posted(message, name);
  }
}

async function fetchBindings() {
  const tree = await bindings(here);
  const below = (location) => tree.find((one) => one.location === location)?.bindings ?? [];
  setCommands(below("/command"));
  byId("buttons").replaceChildren(...buttons(below("/channel_header"), "/channel_header"));
  offer((post) => buttons(below("/post_menu"), "/post_menu", post.id));
  return below("/command");
}

/** What there is to try, for who has just come. */
function welcome(commands) {
  const lines = commands.map((app) => {
    const name = app.label || app.location;
    const line = (text, about) => el("li", {},
      el("button", { type: "button", class: "command", onclick: () => type(`${text} `) }, text),
      el("span", { class: "soft" }, about ?? ""));
    const below = (app.bindings ?? []).map((child) => line(`/${name} ${child.label || child.location}`, child.description));
    return el("section", {}, el("h3", {}, app.description || name),
      el("ul", {}, ...(below.length ? below : [line(`/${name}`, "")])));
  });
  const none = el("p", {}, "No App with commands is installed. Start yours, then run ",
    el("code", {}, "tessera apps add http://localhost:4000/manifest.json"), " and ",
    el("code", {}, "tessera apps install APP"), ".");
  return el("section", { class: "welcome", "aria-label": "What to try" },
    el("h2", {}, lines.length ? "Commands of the installed Apps" : "Nothing to try yet"), ...(lines.length ? lines : [none]));
}

function redraw(tree) {
  document.querySelector(".welcome")?.replaceWith(welcome(tree));
}

async function heard(event, data) {
  if (event === "posted") {
    const message = JSON.parse(data.post);
    if (message.channel_id === here.channel_id) posted(message, await nameOf(message.user_id));
    else if (!channels.some((one) => one.id === message.channel_id)) await loadChannels();
  } else if (event === REFRESH || event === "hello") {
    byId("lost").hidden = true;
    redraw(await fetchBindings());
    // What was written while nobody listened.
    if (event === "hello") await loadPosts();
  } else if (event === "lost") {
    byId("lost").hidden = false;
  }
}

async function start() {
  me = await get("users/me");
  byId("who").replaceChildren("Signed in as ", el("b", {}, me.username));
  offerTo(me);
  byId("site").textContent = siteUrl.href.replace(/\/$/, "");
  const [team] = await get("users/me/teams");
  here.team_id = team.id;
  byId("team").textContent = team.display_name;
  await loadChannels();
  await enter(channels.find((one) => one.name === "town-square") ?? channels[0]);
  listen((event, data) => heard(event, data).catch((error) => failed("console", error.message)));
  byId("line").disabled = false;
  byId("line").focus();
}

byId("sign-out").addEventListener("click", async () => {
  await post("users/logout").catch(() => {});
  location.reload();
});

start().catch((error) => failed("console", error.message));
