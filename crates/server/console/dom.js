// Elements, made without ever reading a text as HTML.

/** An element with attributes and children; an `on…` attribute is a listener, `false` and `undefined` leave one out. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return element;
}

/**
 * Puts the server's HTML into an element. Links lead to a tab of their own, so that the console stays; a picture of somebody
 * else's is a link too, for the console fetches nothing from elsewhere.
 */
export function put(element, html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  for (const image of made.content.querySelectorAll("img")) {
    const src = image.getAttribute("src") ?? "";
    image.replaceWith(el(src ? "a" : "span", { href: src || undefined }, image.alt || "picture"));
  }
  for (const link of made.content.querySelectorAll("a[href]")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  element.replaceChildren(made.content);
}

export const byId = (id) => document.getElementById(id);

let last = 0;
/** An id that no other element has. */
export const fresh = (what) => `${what}-${(last += 1)}`;
