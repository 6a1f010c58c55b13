// The whole way without a mouse: Tab, Enter and what is typed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { enter, tabTo, write } from "../lib/keyboard.js";
import { answer, line, ready } from "../lib/steps.js";
import { stage } from "../lib/stage.js";

const set = stage();

for (const size of [{ width: 1280, height: 800 }, { width: 360, height: 740 }]) {
  test(`the_keyboard_alone_signs_in_connects_disconnects_and_signs_out_at_${size.width}_pixels`, async (t) => {
    const { demo } = set;
    const page = await set.fresh(t, { viewport: size });
    const context = page.context();
    await page.goto(demo.site_url);
    await enter(page, page.getByRole("link", { name: "Sign in" }));
    await write(page, page.getByLabel("User name or e-mail"), "user-1");
    await write(page, page.getByLabel("Password"), demo.password);
    await enter(page, page.getByRole("button", { name: "Sign in" }));
    await ready(page);
    await page.locator("#line:focus").waitFor();

    // The link in the answer is above the line. Tab goes round to it, for nothing is suggested in an empty line.
    await page.keyboard.type("/hello-oauth2 connect");
    await page.keyboard.press("Enter");
    const opened = context.waitForEvent("page");
    await enter(page, answer(page, "Connect your account").getByRole("link"));
    const tab = await opened;
    await enter(tab, tab.getByRole("button", { name: "Continue" }));
    const name = tab.getByLabel("Name");
    const allow = tab.getByRole("button", { name: "Allow" });
    await write(tab, name, "ada");
    await write(tab, tab.getByLabel("Password"), demo.provider_password);
    await enter(tab, tab.getByRole("button", { name: "Sign in" }));
    await allow.waitFor();
    const closed = tab.waitForEvent("close");
    await enter(tab, allow);
    await closed;

    await page.bringToFront();
    await write(page, line(page), "/hello-oauth2 send");
    await page.keyboard.press("Enter");
    await answer(page, "Your calendars").waitFor();
    assert.ok(await line(page).evaluate((field) => field === document.activeElement), "the keyboard stays in the line");

    await enter(page, page.getByRole("link", { name: "Connected accounts" }));
    await enter(page, page.getByRole("button", { name: "Disconnect Hello, OAuth2!" }));
    await page.getByRole("status").waitFor();
    await enter(page, page.getByRole("link", { name: "Back to the site" }));
    await ready(page);
    await enter(page, page.getByRole("button", { name: "Sign out" }));
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    await tabTo(page, page.getByRole("link", { name: "Sign in" }));
  });
}
