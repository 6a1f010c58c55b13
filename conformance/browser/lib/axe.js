// What axe-core finds in a page, and whether a phone has to scroll sideways.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LOOKS = ["light", "dark"].flatMap((colorScheme) => [1280, 360].map((width) => ({ colorScheme, width })));

/** Scans what is on the screen now, in light and in dark, wide and on a phone. Names the page in what it says. */
export async function scan(page, name) {
  const before = page.viewportSize();
  for (const { colorScheme, width } of LOOKS) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: width === 360 ? 740 : before.height });
    const where = `${name}, ${colorScheme}, ${width} px`;
    const [content, shown] = await page.evaluate(() => {
      const root = document.documentElement;
      return [Math.max(root.scrollWidth, document.body.scrollWidth), root.clientWidth];
    });
    assert.ok(content <= shown, `${where}: ${content} px wide on ${shown} px`);
    const found = await violations(page);
    assert.ok(found.length === 0, `${where}: ${found.join("\n")}`);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  await page.setViewportSize(before);
}

async function violations(page) {
  // Through the debugger, so that the page's own policy stays as it is.
  await page.evaluate(AXE);
  const { violations: all } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return all
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => `${node.html} (${node.failureSummary})`).join("; ")}`);
}
