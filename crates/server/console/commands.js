// What a line that begins with "/" means, by the bindings of Apps (the framework's location `/command`).

import { call, get } from "./api.js";

/** The words of a line, with where each begins and ends; quotes keep spaces together, `closed` says that none is missing. */
export function tokens(line) {
  const pattern = /"((?:[^"\\]|\\.)*)("?)|`([^`]*)(`?)|(\S+)/g;
  return [...line.matchAll(pattern)].map((match) => {
    const word = match[1] === undefined ? match[3] ?? match[5] : match[1].replaceAll(/\\(.)/g, "$1");
    const closed = match[5] !== undefined || Boolean(match[2] || match[4]);
    return { word, start: match.index, end: match.index + match[0].length, closed };
  });
}

/** The words alone. `open` says that the next one has not begun; `start` is where it would, or where the last one did. */
export function words(line) {
  const all = tokens(line);
  const last = all.at(-1);
  // A space within quotes that nobody has closed yet is part of the word.
  const open = !last || (/\s$/.test(line) && last.closed);
  return { words: all.map((one) => one.word), open, start: open ? line.length : last.start };
}

const same = (a, b) => a.toLowerCase() === b.toLowerCase();

/** Walks down from the top as far as words lead: the binding, its location, and what words are left. */
export function resolve(tree, given) {
  let binding = { bindings: tree, location: "/command" };
  let location = "/command";
  let used = 0;
  for (const word of given) {
    const next = (binding.bindings ?? []).find((child) => same(child.label || child.location, word));
    if (!next) break;
    binding = next;
    location += `/${next.location}`;
    used += 1;
  }
  return { binding, location, rest: given.slice(used), used };
}

const key = (field) => field.label || field.name;

/** Splits what follows a command into its form's values: `--flag value`, `--bool`, and positional ones. */
export function split(form, rest) {
  const fields = form?.fields ?? [];
  const texts = new Map();
  const free = [];
  let unknown;
  for (let i = 0; i < rest.length; i += 1) {
    if (!rest[i].startsWith("--")) {
      free.push(rest[i]);
      continue;
    }
    const [flag, inline] = rest[i].slice(2).split(/=(.*)/s);
    const field = fields.find((one) => same(key(one), flag));
    if (!field) {
      unknown ??= rest[i];
    } else if (inline !== undefined) {
      texts.set(field.name, inline);
    } else if (field.type === "bool" && !["true", "false"].includes(rest[i + 1])) {
      texts.set(field.name, "true");
    } else {
      texts.set(field.name, rest[(i += 1)] ?? "");
    }
  }
  for (const field of fields.filter((one) => one.position > 0).sort((a, b) => a.position - b.position)) {
    if (free.length && !texts.has(field.name)) texts.set(field.name, free.shift());
  }
  const last = fields.find((one) => one.position === -1);
  if (last && free.length) texts.set(last.name, free.splice(0).join(" "));
  return { texts, unknown, extra: free[0] };
}

/** The options of a lookup call, as the App gives them for what was typed. */
export async function lookup(field, query, values, context) {
  const { path, expand, state } = field.lookup;
  const answer = await call({ path, expand, state, values, context, query, selected_field: field.name });
  if (answer.type === "error") throw new Error(answer.text);
  return answer.data?.items ?? [];
}

/** A field's value from a typed text, in the form in which Apps get it; throws what is wrong with it. */
export async function valueOf(field, text, values, context) {
  switch (field.type) {
    case "bool":
      return text === "true";
    case "static_select":
    case "dynamic_select": {
      const options = field.type === "static_select" ? field.options : await lookup(field, text, values, context);
      const fits = (option) => same(option.value, text) || same(option.label ?? "", text);
      const option = (options ?? []).find(fits);
      if (!option) throw new Error(`${key(field)}: "${text}" is none of the choices`);
      return { label: option.label || option.value, value: option.value };
    }
    case "user": {
      const user = await get(`users/username/${encodeURIComponent(text.replace(/^@/, ""))}`);
      return { label: user.username, value: user.id };
    }
    case "channel": {
      const name = encodeURIComponent(text.replace(/^~/, ""));
      const channel = await get(`teams/${context.team_id}/channels/name/${name}`);
      return { label: channel.display_name, value: channel.id };
    }
    default:
      return text;
  }
}

/** What could come next: `{ text, about }`, where `text` replaces the last word. */
export async function suggest(tree, line, context) {
  const { words: all, open } = words(line.slice(1));
  const typed = open ? "" : all.pop() ?? "";
  const { binding, rest } = resolve(tree, all);
  const starts = (text) => text.toLowerCase().startsWith(typed.toLowerCase());
  if (binding.bindings?.length) {
    if (rest.length) return [];
    return binding.bindings
      .map((child) => ({ text: child.label || child.location, hint: child.hint, about: child.description }))
      .filter((one) => starts(one.text));
  }
  const form = binding.form;
  if (!form) return [];
  const fields = form.fields ?? [];
  const flag = rest.at(-1)?.startsWith("--") && fields.find((one) => same(key(one), rest.at(-1).slice(2)));
  if (flag && flag.type !== "bool") return choices(flag, typed, context);
  const { texts } = split(form, rest);
  const flags = fields
    .filter((one) => one.type !== "markdown" && !one.readonly && !texts.has(one.name))
    .map((one) => ({
      text: `--${key(one)}`,
      hint: one.hint,
      about: [one.description, one.is_required && "needed"].filter(Boolean).join(" · "),
    }));
  const next = fields.find((one) => one.position > 0 && !texts.has(one.name));
  const here = next && !typed.startsWith("--") ? await choices(next, typed, context) : [];
  return [...here, ...flags.filter((one) => starts(one.text))];
}

async function choices(field, typed, context) {
  const starts = (text) => text.toLowerCase().startsWith(typed.toLowerCase());
  const quoted = (text) => (/\s/.test(text) ? `"${text}"` : text);
  let options = field.options ?? [];
  if (field.type === "dynamic_select") {
    options = await lookup(field, typed, {}, context).catch(() => []);
  } else if (field.type === "bool") {
    options = [{ value: "true" }, { value: "false" }];
  }
  return options
    .map((option) => ({ text: quoted(option.label || option.value), about: option.label ? option.value : "" }))
    .filter((one) => field.type === "dynamic_select" || starts(one.text.replace(/^"/, "")))
    .slice(0, 50);
}
