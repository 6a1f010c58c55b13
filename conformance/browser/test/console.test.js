// The console while it is open: what comes by itself, and what an App says that had better not be believed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tessera } from "../lib/demo.js";
import { windows } from "../lib/forms.js";
import { bindings, website } from "../lib/servers.js";
import { install, person, posts } from "../lib/site.js";
import { answer, command, line } from "../lib/steps.js";
import { stage } from "../lib/stage.js";

const set = stage();
const call = (path) => ({ path, expand: {} });

async function installed(t, answers) {
  const app = await windows(answers);
  t.after(app.close);
  await install(set.demo, app.manifest);
  return app;
}

test("what_apps_offer_changes_on_the_screen_without_a_reload", async (t) => {
  const app = await installed(t);
  const page = await set.signedIn(t, "sysadmin");
  await page.evaluate(() => { window.sameDocument = true; });
  await page.getByRole("button", { name: "/window order" }).waitFor();
  const header = [{ location: "/channel_header", bindings: [{ location: "air", label: "Let air in", icon: "air.png", submit: call("/air") }] }];
  app.answers["/bindings"] = bindings("window", [{ location: "close", label: "close", submit: call("/close") }], header);
  app.answers["/air"] = { type: "ok", text: "Fresh air." };
  await install(set.demo, app.manifest);
  await page.getByRole("button", { name: "/window close" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "/window order" }).count(), 0);
  await page.getByRole("button", { name: "Let air in" }).click();
  await answer(page, "Fresh air.").waitFor();
  assert.equal(app.to("/air").length, 1);
  await line(page).fill("/window ");
  assert.equal(await page.getByRole("option", { name: "close" }).count(), 1);
  // An answer may ask for it too, and what is being typed is met by what there is then.
  app.answers["/bindings"] = bindings("window", [{ location: "clean", label: "clean", submit: call("/clean") }], header);
  app.answers["/air"] = { type: "ok", text: "Fresher air.", refresh_bindings: true };
  await page.getByRole("button", { name: "Let air in" }).click();
  await page.getByRole("button", { name: "/window clean" }).waitFor();
  assert.ok(await page.evaluate(() => window.sameDocument));
});

test("who_writes_an_app_sees_it_appear_when_the_terminal_installs_it", async (t) => {
  const app = await windows();
  t.after(app.close);
  // Another App than the one of the other tests.
  app.manifest.app_id = "casement";
  app.answers["/bindings"] = bindings("casement", [{ location: "open", label: "open", submit: call("/open") }]);
  const page = await set.signedIn(t);
  await page.getByRole("button", { name: "/hello-oauth2 send" }).waitFor();
  await tessera(set.demo, "apps", "add", `${app.manifest.http.root_url}/manifest.json`);
  await tessera(set.demo, "apps", "install", "casement");
  await page.getByRole("button", { name: "/casement open" }).waitFor();
});

test("messages_of_others_arrive_by_themselves_and_apps_offer_something_for_them", async (t) => {
  const app = await installed(t);
  app.answers["/bindings"] = bindings("window", [{ location: "show", label: "show", submit: call("/show") }],
    [{ location: "/post_menu", bindings: [{ location: "frame", label: "Frame it", submit: { path: "/frame", expand: { post: "id" } } }] }]);
  app.answers["/frame"] = { type: "ok", text: "Framed." };
  await install(set.demo, app.manifest);
  const page = await set.signedIn(t);
  const other = await person(set.demo, "user-2");
  const [team] = await other.get("api/v4/users/me/teams");
  const square = await other.get(`api/v4/teams/${team.id}/channels/name/town-square`);
  const post = await other.post("api/v4/posts", { channel_id: square.id, message: "Good **morning**" });
  const message = answer(page, "Good morning");
  await message.waitFor();
  assert.equal(await message.locator("strong").textContent(), "morning");
  await message.getByLabel("What Apps offer for the message of user-2").click();
  await message.getByRole("button", { name: "Frame it" }).click();
  await answer(page, "Framed.").waitFor();
  assert.equal(app.to("/frame")[0].context.post.id, post.id);

  // One's own, typed into the line; and what was written while the connection was away.
  await command(page, "Good evening");
  await answer(page, "Good evening").waitFor();
  assert.ok((await posts(other)).some((one) => one.message === "Good evening"));
  await page.context().setOffline(true);
  await page.getByText("reconnecting").waitFor();
  await other.post("api/v4/posts", { channel_id: square.id, message: "Good night" });
  await page.context().setOffline(false);
  await answer(page, "Good night").waitFor();
  await page.getByText("reconnecting").waitFor({ state: "hidden" });
  assert.equal(await page.locator("#log .message").filter({ hasText: "Good evening" }).count(), 1, "nothing twice");
});

test("markdown_of_an_app_runs_nothing_and_asks_for_nothing", async (t) => {
  const pixel = await website();
  t.after(pixel.close);
  const evil = [
    `<script>window.hurt = "script"; fetch("${pixel.url()}/script")</script>`,
    `<img src="${pixel.url()}/img" onerror="window.hurt = 'img'">`,
    `<svg onload="window.hurt = 'svg'"><style>@import url(${pixel.url()}/style)</style></svg>`,
    `<iframe src="${pixel.url()}/iframe" srcdoc="<script>parent.hurt = 'frame'</script>"></iframe>`,
    `<a href="javascript:window.hurt = 'a'">raw link</a>`,
    `[marked link](javascript:window.hurt='marked')`, `[data link](data:text/html;base64,PHNjcmlwdD4=)`,
    `![picture](${pixel.url()}/markdown)`, `![x](x" onerror="window.hurt='attribute')`,
    `<form action="${pixel.url()}/form"><button>press</button></form>`, "plain **bold** end",
  ].join("\n\n");
  const form = { title: "<img src=x onerror=\"window.hurt='title'\">", header: evil, footer: evil, submit: call("/ok"),
    fields: [{ name: "about", type: "markdown", description: evil }, { name: "t", type: "text", is_required: true, label: "t", modal_label: "<b>t</b>", description: evil }] };
  await installed(t, { "/show": { type: "ok", text: evil }, "/order": { type: "error", text: evil },
    "/bindings": bindings("window", [
      { location: "show", label: "show", description: "<img src=x onerror=\"window.hurt='binding'\">", submit: call("/show") },
      { location: "fail", label: "fail", submit: call("/order") }, { location: "form", label: "form", form },
    ]) });
  const page = await set.signedIn(t);
  const dialogs = [];
  page.on("dialog", (dialog) => (dialogs.push(dialog.message()), dialog.dismiss()));
  const foreign = [];
  page.on("request", (request) => request.url().startsWith(set.demo.site_url) || request.url().startsWith("data:,") || foreign.push(request.url()));
  for (const name of ["show", "fail"]) {
    await command(page, `/window ${name}`);
    const message = answer(page, "plain bold end");
    await message.locator("strong").waitFor();
    for (const text of ["raw link", "marked link", "data link"]) {
      const link = message.getByText(text).last();
      const href = await link.evaluate((element) => element.closest("a")?.getAttribute("href") ?? "");
      assert.ok(!/^(javascript|data):/i.test(href), href);
      await link.click();
    }
    assert.equal(await message.locator("script, iframe, svg, style, form, [onerror], [onload]").count(), 0);
  }
  await command(page, "/window form");
  const dialog = page.getByRole("dialog");
  await dialog.locator("strong").nth(1).waitFor();
  assert.equal(await dialog.locator("script, iframe, svg, style, form form, [onerror], [onload]").count(), 0);
  assert.equal(await page.evaluate(() => window.hurt), undefined);
  assert.deepEqual([dialogs, foreign, pixel.requests], [[], [], []]);
});

test("a_link_of_an_app_opens_beside_the_console_and_learns_nothing_of_it", async (t) => {
  const there = await website({ "/there": "<!DOCTYPE html><title>there</title>there" });
  t.after(there.close);
  await installed(t, { "/show": { type: "ok", text: `[over there](${there.url()}/there)` },
    "/order": { type: "navigate", navigate_to_url: `${there.url()}/there` },
    "/bindings": bindings("window", [{ location: "show", label: "show", submit: call("/show") }, { location: "go", label: "go", submit: call("/order") }]) });
  const page = await set.signedIn(t);
  await command(page, "/window show");
  const link = answer(page, "over there").getByRole("link");
  const [first] = await Promise.all([page.context().waitForEvent("page"), link.click()]);
  const opened = page.context().waitForEvent("page");
  await command(page, "/window go");
  const second = await opened;
  for (const tab of [first, second]) {
    await tab.getByText("there").waitFor();
    assert.equal(await tab.evaluate(() => window.opener), null);
  }
  await answer(page, "Continue at").waitFor();
  for (const request of there.requests.filter((one) => one.url === "/there")) assert.equal(request.headers.referer, undefined);
});

test("an_app_that_fails_is_told_of_in_words_and_the_console_stays", async (t) => {
  const app = await installed(t);
  app.answers["/show"] = { type: "riddle" };
  const page = await set.signedIn(t);
  await command(page, "/window show");
  await answer(page, "riddle").waitFor();
  await app.close();
  await command(page, "/window show");
  await page.locator("#log .message.error").nth(1).waitFor();
  await command(page, "/hello-oauth2 send");
  await answer(page, "You are not connected").waitFor();
});
