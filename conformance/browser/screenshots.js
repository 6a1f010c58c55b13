// The pictures of the README: the demo as somebody sees it who tries it. Called by `cargo xtask screenshots`, with the folder
// for the pictures and a colour count is left to the PNG encoder.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { launch, profile } from "./lib/chromium.js";
import { demo as start } from "./lib/demo.js";
import { answer, command, connect, line, openConnect, signIn } from "./lib/steps.js";

const folder = process.argv[2] ?? "pictures";
mkdirSync(folder, { recursive: true });

/** The port is part of what is shown, so it is always the same. */
const demo = await start({ listen: process.env.TESSERA_LISTEN ?? "127.0.0.1:0" });
const browser = await launch();
try {
  const desk = { viewport: { width: 1120, height: 700 }, deviceScaleFactor: 1.5 };
  const take = async (page, name) => {
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled", caret: "hide" });
  };
  for (const colorScheme of ["light", "dark"]) {
    const suffix = colorScheme === "dark" ? "-dark" : "";
    const context = await profile(browser, { ...desk, colorScheme });
    const page = await context.newPage();
    await page.goto(demo.site_url);
    await take(page, `home${suffix}`);
    await signIn(page, demo, "user-1");
    await take(page, `console-fresh${suffix}`);
    await line(page).fill("/hello-oauth2 ");
    await page.getByRole("option").first().waitFor();
    await line(page).press("ArrowDown");
    await line(page).press("ArrowDown");
    await take(page, `suggestions${suffix}`);
    const tab = await openConnect(context, demo.connect_url);
    await take(tab, `confirm${suffix}`);
    await tab.close();
    const closing = await connect(context, demo, { account: "ada" });
    await take(closing, `connected${suffix}`);
    await closing.close();
    await command(page, "/hello-oauth2 connect");
    await answer(page, "Connect your account").waitFor();
    await command(page, "/hello-oauth2 send");
    await answer(page, "Your calendars").waitFor();
    await page.getByRole("listitem").filter({ hasText: "Analytical" }).waitFor();
    await take(page, `console${suffix}`);
    await page.getByRole("button", { name: "Inspect calls" }).click();
    await page.locator("#calls summary").first().click();
    await page.locator("#calls pre").first().waitFor();
    await take(page, `inspector${suffix}`);
    await page.getByRole("button", { name: "Inspect calls" }).click();
    await command(page, "/hello-oauth2 configure");
    await page.getByRole("dialog").waitFor();
    await take(page, `dialog${suffix}`);
    await page.setViewportSize({ width: 390, height: 760 });
    await take(page, `dialog-phone${suffix}`);
    await page.getByRole("button", { name: "Cancel" }).click();
    await take(page, `console-phone${suffix}`);
    await page.setViewportSize(desk.viewport);
    await page.getByRole("link", { name: "Connected accounts" }).click();
    await page.getByRole("button", { name: "Disconnect" }).waitFor();
    await take(page, `accounts${suffix}`);
    await page.getByRole("button", { name: "Disconnect" }).click();
    await page.getByRole("status").waitFor();
    await take(page, `accounts-ended${suffix}`);
    await context.close();
  }
} finally {
  await browser.close();
  await demo.stop();
}
