// The pictures of the README: the demo as somebody sees it who tries it. `cargo xtask screenshots` calls this with the folder
// that they go to. Whatever is different each time (ports, the time of day) is put right before a picture is taken.

import { execFileSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, profile } from "./lib/chromium.js";
import { demo as start } from "./lib/demo.js";
import { command, connect, line, openConnect, signIn } from "./lib/steps.js";

/** The largest picture, in bytes: they are part of every clone. */
const LARGEST = 150_000;
const FONT = "Inter";
const TEN = new Date("2026-01-15T10:00:00");
const DESK = { viewport: { width: 1040, height: 640 }, deviceScaleFactor: 1.5 };
const PHONE = { viewport: { width: 375, height: 700 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: node screenshots.js FOLDER");
if (!execFileSync("fc-list", [":", "family"], { encoding: "utf8" }).split("\n").includes(FONT)) {
  throw new Error(`the pictures are set in ${FONT}: \`apt-get install fonts-inter\` brings it`);
}
mkdirSync(folder, { recursive: true });

const demo = await start();
const browser = await launch({ FONTCONFIG_FILE: fileURLToPath(new URL("fonts.conf", import.meta.url)) });

/** Ports are as somebody has them who starts the demo as the README says. */
const usual = [[demo.site_url, "http://localhost:8065"], [demo.provider_url, "http://127.0.0.1:9096"]];

async function take(page, name, options = {}) {
  await page.evaluate((pairs) => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      for (const [from, to] of pairs) texts.currentNode.data = texts.currentNode.data.replaceAll(from, to);
    }
  }, usual);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, animations: "disabled", caret: "hide", ...options });
  const { size } = statSync(path);
  console.log(`${name}.png  ${Math.round(size / 1000)} kB`);
  if (size > LARGEST) throw new Error(`${name}.png has ${size} bytes; no picture may have more than ${LARGEST}`);
}

async function person(options) {
  const context = await profile(browser, options);
  const page = await context.newPage();
  await page.clock.setFixedTime(TEN);
  await signIn(page, demo, "user-1");
  return { context, page };
}

/** A command and its answer, once the answer is whole. */
async function ask(page, text, last) {
  await command(page, text);
  await page.locator("#log .message").last().getByText(last).waitFor();
}

try {
  for (const colorScheme of ["light", "dark"]) {
    const name = (what) => (colorScheme === "dark" ? `${what}-dark` : what);
    const { context, page } = await person({ ...DESK, colorScheme });
    if (colorScheme === "light") {
      await line(page).fill("/hello-oauth2 ");
      await page.getByRole("option").first().waitFor();
      await line(page).press("ArrowDown");
      await line(page).press("ArrowDown");
      await take(page, "suggestions");
      const confirm = await openConnect(context, demo.connect_url);
      await confirm.setViewportSize({ width: 1040, height: 460 });
      await take(confirm, "confirm");
      await confirm.close();
    }
    await (await connect(context, demo, { account: "ada" })).close();
    await ask(page, "/hello-oauth2 send", "Analytical Engine");
    await take(page, name("console"));
    if (colorScheme === "light") {
      await page.setViewportSize({ width: 1320, height: 640 });
      await page.getByRole("button", { name: "Inspect calls" }).click();
      await page.locator("#calls summary").first().click();
      await page.locator("#calls pre").first().waitFor();
      await page.locator("#calls pre").first().evaluate((element) => element.scrollTo(0, 360));
      await take(page, "inspector", { clip: await page.locator("#inspector").boundingBox() });
      await page.getByRole("button", { name: "Inspect calls" }).click();
      await page.setViewportSize(DESK.viewport);
      await command(page, "/hello-oauth2 configure");
      await page.getByRole("dialog").waitFor();
      await take(page, "dialog");
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("link", { name: "Connected accounts" }).click();
      await page.getByRole("button", { name: "Disconnect" }).waitFor();
      await take(page, "accounts");
    }
    await context.close();
  }
  const { context, page } = await person(PHONE);
  await ask(page, "/hello-oauth2 send", "Analytical Engine");
  await take(page, "phone");
  await context.close();
} finally {
  await browser.close();
  await demo.stop();
}
