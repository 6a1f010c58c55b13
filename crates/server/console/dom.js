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

export const byId = (id) => document.getElementById(id);

let last = 0;
/** An id that no other element has. */
export const fresh = (what) => `${what}-${(last += 1)}`;
