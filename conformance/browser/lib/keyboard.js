// A person who has no mouse.

import assert from "node:assert/strict";

/** What the keyboard is on, in words for who reads of a failure. */
const focused = (page) => page.evaluate(() => {
  const element = document.activeElement;
  return `${element.localName} ${element.labels?.[0]?.textContent ?? element.textContent.trim().slice(0, 40)}`;
});

/** Presses Tab until the keyboard is on what is meant, and looks whether that can be seen each time. */
export async function tabTo(page, goal, key = "Tab") {
  await goal.waitFor();
  const passed = [];
  while (!(await goal.evaluate((element) => element === document.activeElement))) {
    assert.ok(passed.length < 40, `never reached: ${passed.join(", ")}`);
    await page.keyboard.press(key);
    passed.push(await focused(page));
    const seen = await page.evaluate(() => {
      const element = document.activeElement;
      // Behind the last element is the browser's own window.
      if (element === document.body) return true;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && box.width > 0 && box.height > 0;
    });
    assert.ok(seen, `nothing shows where the keyboard is: ${passed.join(", ")}`);
  }
}

/** Goes there, and presses Enter on it. */
export async function enter(page, goal, key) {
  await tabTo(page, goal, key);
  await page.keyboard.press("Enter");
}

/** Goes to a field and writes into it. */
export async function write(page, field, text) {
  await tabTo(page, field);
  await page.keyboard.type(text);
}
