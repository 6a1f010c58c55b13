// The log: what people and bots posted, and what Apps told the reader alone.

import { markdown } from "./api.js";
import { byId, el, put } from "./dom.js";

const log = byId("log");
const shown = new Map();
let offers = () => [];

function at(ms) {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

async function fill(body, text) {
  body.textContent = text;
  // Where it cannot be rendered, the text as it was written is still there.
  await markdown(text).then((html) => put(body, html), () => {});
}

/** Whether the reader is at the end, and so wants to stay there. */
const isLow = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;
const toEnd = () => log.scrollTo(0, log.scrollHeight);

let low = true;
log.addEventListener("scroll", () => (low = isLow()));
new ResizeObserver(() => low && toEnd()).observe(log);

function add(kind, by, text, when, note) {
  const body = el("div", { class: "body" });
  const who = el("div", { class: "by" }, el("span", {}, by), el("small", {}, note ? `${at(when)} · ${note}` : at(when)));
  const stays = isLow();
  log.append(el("div", { class: `message ${kind}` }, who, body));
  const down = () => stays && toEnd();
  down();
  fill(body, text).then(down);
  return who;
}

/** Something that somebody posted, once. */
export function posted(post, username) {
  if (shown.has(post.id)) return;
  const who = add("posted", username, post.message, post.create_at);
  const menu = el("details", { class: "menu" },
    el("summary", { "aria-label": `What Apps offer for the message of ${username}` }, "⋯"), el("div", {}));
  who.append(menu);
  shown.set(post.id, { post, menu });
  fit(shown.get(post.id));
}

function fit({ post, menu }) {
  const made = offers(post);
  menu.hidden = made.length === 0;
  menu.lastElementChild.replaceChildren(...made);
}

/** What Apps offer for a message: `offered(post)` gives buttons. */
export function offer(offered) {
  offers = offered;
  for (const one of shown.values()) fit(one);
}

/** A command, as the reader typed it; nobody else sees it. */
export function typed(text) {
  const stays = isLow();
  log.append(el("div", { class: "message typed" }, el("span", { class: "hidden" }, "You typed "), el("code", {}, text)));
  if (stays) toEnd();
}

/** Something that an App says to the reader alone. */
export function told(by, text) {
  add("told", by, text, Date.now(), "only visible to you");
}

/** Something that did not work. */
export function failed(by, text) {
  add("error", by, text || "It did not work, and no reason was given.", Date.now(), "error");
}

export function clear(...first) {
  shown.clear();
  log.replaceChildren(...first);
}
