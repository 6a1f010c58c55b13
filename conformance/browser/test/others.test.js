// What other people's websites can do to somebody who is signed in: nothing. Each is asked as a stranger (another site) and
// as a neighbour (the same site, another port), whose requests browsers send with the cookies that are `SameSite=Lax`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bindings, app as makeApp, website } from "../lib/servers.js";
import { connections, flowsBegun, install, person, posts } from "../lib/site.js";
import { consent, connect, openConnect } from "../lib/steps.js";
import { stage } from "../lib/stage.js";

const set = stage();
const HOSTS = ["127.0.0.1", "localhost"];
const PLUGIN = "plugins/com.mattermost.apps";

/** A website that ends with the test. */
async function website_of(t, pages) {
  const site = await website(pages);
  t.after(site.close);
  return site;
}

/** An App that counts who wants to connect. */
async function counting(t) {
  const app = await makeApp("window", {
    "/bindings": bindings("window", []),
    "/oauth2/connect": (call) => ({ type: "ok", data: `http://127.0.0.1:9/?state=${call.values.state}` }),
  });
  t.after(app.close);
  await install(set.demo, app.manifest);
  return { app, address: `${set.demo.site_url}/${PLUGIN}/apps/window/oauth2/remote/connect` };
}

const flowCookies = async (context) =>
  (await context.cookies()).filter((cookie) => cookie.name.includes("tessera-flow"));

test("os_17_a_page_of_another_site_that_embeds_the_connect_address_starts_nothing", async (t) => {
  const { app, address } = await counting(t);
  const page = await set.signedIn(t);
  const before = await flowsBegun(set.demo);
  const site = await website_of(t, {
    "/": `<!DOCTYPE html><title>kittens</title>
      <link rel="prefetch" href="${address}"><link rel="stylesheet" href="${address}"><link rel="prerender" href="${address}">
      <img src="${address}?img"><iframe src="${address}?iframe"></iframe><embed src="${address}?embed">
      <object data="${address}?object"></object><video src="${address}?video"></video><script src="${address}?script"></script>
      <script type="speculationrules">{"prerender":[{"source":"list","urls":["${address}?speculation"],"eagerness":"immediate"}],
        "prefetch":[{"source":"list","urls":["${address}?speculation"],"eagerness":"immediate"}]}</script>
      <script>
        const ways = [{}, { mode: "no-cors", credentials: "include" }, { credentials: "include" },
          { method: "POST", mode: "no-cors", credentials: "include", body: "token=" }];
        window.done = Promise.allSettled(ways.map((way) => fetch(${JSON.stringify(address)}, way)));
      </script>`,
  });
  for (const host of HOSTS) {
    const asked = [];
    const note = (request) => request.url().startsWith(address) && asked.push(request.url().split("?")[1] ?? "fetch");
    page.on("request", note);
    await page.goto(site.url(host), { waitUntil: "load" });
    await page.evaluate(() => window.done);
    page.off("request", note);
    for (const way of ["img", "iframe", "script", "fetch"]) {
      assert.ok(asked.includes(way), `${host}: the browser did ask for ${way}: ${asked}`);
    }
    // The frame shows nothing of the site.
    const frame = page.frames().find((one) => one !== page.mainFrame());
    assert.ok(!(await frame.content().catch(() => "")).includes("<form"), host);
    assert.deepEqual(app.to("/oauth2/connect"), [], host);
    assert.deepEqual(await flowCookies(page.context()), [], host);
  }
  assert.equal(await flowsBegun(set.demo), before);
});

test("os_17_a_click_that_another_site_brings_about_is_asked_about_and_starts_nothing_by_itself", async (t) => {
  const { app, address } = await counting(t);
  const page = await set.signedIn(t);
  const site = await website_of(t, {
    "/link": `<!DOCTYPE html><title>kittens</title><a href="${address}">kittens</a>`,
    "/form": `<!DOCTYPE html><title>kittens</title><form action="${address}"><button>kittens</button></form>`,
    "/popup": `<!DOCTYPE html><title>kittens</title><button onclick="window.other = window.open('${address}')">kittens</button>`,
  });
  for (const host of HOSTS) {
    for (const [path, role] of [["/link", "link"], ["/form", "button"]]) {
      await page.goto(`${site.url(host)}${path}`);
      await page.getByRole(role, { name: "kittens" }).click();
      await page.getByRole("heading", { name: "Connect an account with Window" }).waitFor();
    }
    // As a neighbour or a stranger, who opened the window has no hold on it and cannot press the button.
    await page.goto(`${site.url(host)}/popup`);
    const opened = page.context().waitForEvent("page");
    await page.getByRole("button", { name: "kittens" }).click();
    const popup = await opened;
    await popup.getByRole("heading", { name: "Connect an account with Window" }).waitFor();
    const reach = await page.evaluate(() => {
      try {
        return window.other.document.forms.length;
      } catch (error) {
        return error.name;
      }
    });
    assert.ok(["SecurityError", "TypeError"].includes(reach), `${host}: ${reach}`);
    assert.equal(await popup.evaluate(() => window.opener), null, `${host}: the page is cut off from who opened it`);
    await popup.close();
  }
  assert.deepEqual(app.to("/oauth2/connect"), []);
  assert.deepEqual(await flowCookies(page.context()), []);
});

test("os_16_the_closing_page_tells_who_opened_it_nothing_and_fetches_nothing", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t);
  const context = page.context();
  const pixel = await website_of(t, { "/": "a pixel" });
  const opener = await website_of(t, {
    "/": `<!DOCTYPE html><title>kittens</title><button>kittens</button><script>
        window.heard = [];
        addEventListener("message", (event) => window.heard.push(event.data));
        document.querySelector("button").onclick = () => { window.other = open(${JSON.stringify(demo.connect_url)}); };
      </script>`,
  });
  for (const host of HOSTS) {
    await page.goto(opener.url(host));
    const opened = context.waitForEvent("page");
    await page.getByRole("button", { name: "kittens" }).click();
    const tab = await opened;
    // The window that closes itself is kept open, to be looked at.
    await tab.addInitScript(() => { window.close = () => {}; });
    await tab.getByRole("button", { name: "Continue" }).click();
    await consent(tab, demo, { account: "ada" });
    await tab.getByRole("heading", { name: "is connected" }).waitFor();
    assert.equal(await tab.evaluate(() => window.opener), null, host);
    assert.deepEqual(await page.evaluate(() => window.heard), [], `${host}: no message`);
    assert.ok(await page.evaluate(() => window.other.closed), `${host}: to who opened it, it looks closed`);

    const content = await tab.content();
    const query = new URL(tab.url()).searchParams;
    for (const name of ["code", "state"]) {
      assert.ok(query.get(name).length > 8 && !content.includes(query.get(name)), `no ${name} on the page`);
    }
    // Even with a third party's image smuggled into it, nothing would be asked for, and nothing said of where one was.
    const refused = await tab.evaluate((url) => new Promise((resolve) => {
      document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
      const image = new Image();
      image.onload = () => resolve("loaded");
      image.src = url;
      document.body.append(image);
    }), `${pixel.url()}/pixel`);
    assert.equal(refused, "img-src", host);
    assert.deepEqual(pixel.requests, [], host);
    await tab.evaluate((url) => {
      const link = Object.assign(document.createElement("a"), { href: url, textContent: "away" });
      document.body.append(link);
    }, `${pixel.url()}/`);
    await tab.getByRole("link", { name: "away" }).click();
    await tab.getByText("a pixel").waitFor();
    const left = pixel.requests.filter((request) => request.url === "/");
    assert.equal(left.at(-1).headers.referer, undefined, `${host}: no code in a Referer`);
    pixel.requests.length = 0;
    await tab.close();
    await (await person(demo, "user-1")).del(`${PLUGIN}/tessera/v1/connections/hello-oauth2`);
  }
});

test("os_16_the_closing_page_says_what_it_has_to_without_script", async (t) => {
  const { demo } = set;
  const context = (await set.fresh(t, { javaScriptEnabled: false })).context();
  const tab = await openConnect(context, demo.connect_url);
  await tab.getByLabel("User name or e-mail").fill("user-2");
  await tab.getByLabel("Password").fill(demo.password);
  await tab.getByRole("button", { name: "Sign in" }).click();
  await tab.getByRole("button", { name: "Continue" }).click();
  await consent(tab, demo, { account: "grace" });
  await tab.getByText("Please close this window.").waitFor();
  await tab.getByRole("link", { name: "All connected accounts" }).click();
  await tab.getByRole("button", { name: "Disconnect Hello, OAuth2!" }).click();
  assert.match(await tab.getByRole("status").textContent(), /is disconnected/);
});

test("os_57_a_form_of_another_site_changes_nothing", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t);
  await (await connect(page.context(), demo, { account: "ada" })).close();
  const user = await person(demo, "user-1");
  const [had, said] = [await connections(user), (await posts(user)).length];
  const cookies = async () => (await page.context().cookies(demo.site_url)).map(({ name, value }) => `${name}=${value}`).sort();
  const kept = await cookies();

  const targets = [
    ["urlencoded", `${PLUGIN}/tessera/v1/accounts`, { app: "hello-oauth2", token: "" }],
    ["urlencoded", `${PLUGIN}/apps/hello-oauth2/oauth2/remote/connect`, { token: "" }],
    ["plain", "api/v4/posts", { [`{"message":"kittens","channel_id":"`]: `"}` }],
    ["plain", `${PLUGIN}/api/v1/call`, { [`{"path":"/disconnect","context":{"app_id":"hello-oauth2"},"a":"`]: `"}` }],
    ["plain", `${PLUGIN}/api/v1/oauth2/user`, { [`{"a":"`]: `"}` }],
    ["multipart", "api/v4/users/logout", { a: "b" }],
    ["urlencoded", "login", { login_id: "sysadmin", password: demo.password, return_to: "/" }],
  ];
  const kinds = { urlencoded: "application/x-www-form-urlencoded", plain: "text/plain", multipart: "multipart/form-data" };
  const form = ([kind, path, fields]) => {
    const quoted = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    const inputs = Object.entries(fields).map(([name, value]) =>
      `<input type="hidden" name="${quoted(name)}" value="${quoted(value)}">`);
    return `<!DOCTYPE html><title>kittens</title><form method="post" enctype="${kinds[kind]}" action="${demo.site_url}/${path}">
      ${inputs.join("")}<button>kittens</button></form>`;
  };
  const site = await website_of(t, Object.fromEntries(targets.map((target, index) => [`/${index}`, form(target)])));
  for (const host of HOSTS) {
    for (const [index, [, path]] of targets.entries()) {
      await page.goto(`${site.url(host)}/${index}`);
      const answered = page.waitForResponse((response) => response.request().method() === "POST");
      await page.getByRole("button", { name: "kittens" }).click();
      const answer = await answered;
      assert.equal(new URL(answer.url()).pathname, `/${path}`);
      assert.ok(answer.status() >= 400 && answer.status() < 500, `${host} ${path}: ${answer.status()}`);
    }
    // A script has more ways, and no better luck.
    await page.goto(`${site.url(host)}/0`);
    const outcomes = await page.evaluate(async (root) => {
      const tries = [
        fetch(`${root}/api/v4/posts`, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" }),
        fetch(`${root}/api/v4/users/logout`, { method: "POST", credentials: "include", headers: { "X-Requested-With": "XMLHttpRequest" } }),
        fetch(`${root}/api/v4/users/me`, { credentials: "include" }).then((answer) => answer.text()),
      ];
      return (await Promise.allSettled(tries)).map((one) => one.status);
    }, demo.site_url);
    assert.deepEqual(outcomes.slice(1), ["rejected", "rejected"], `${host}: not even to be read`);
  }
  assert.deepEqual(await connections(user), had);
  assert.equal((await posts(user)).length, said);
  assert.deepEqual(await cookies(), kept, "signed in as before, as the same person");
});
