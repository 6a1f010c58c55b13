// `tessera demo`, started and ended as people do it.

import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const TARGET = fileURLToPath(new URL("../../../target/", import.meta.url));

/** The program: `TESSERA_BIN`, else what cargo built last. */
function program() {
  const places = [process.env.TESSERA_BIN, `${TARGET}debug/tessera`, `${TARGET}release/tessera`];
  const found = places.find((place) => place && existsSync(place));
  if (!found) throw new Error("no tessera: `cargo build` makes one, or TESSERA_BIN says where it is");
  return found;
}

/** Starts a demo; `until` gives something for the line after which it is ready. Gives that, with `stop()`. */
async function start(options, settings, until) {
  const child = spawn(program(), ["demo", ...options], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...settings } });
  let log = "";
  child.stderr.on("data", (bytes) => (log += bytes));
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  // Whatever becomes of the tests, no server is left behind.
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  const stop = async () => {
    process.removeListener("exit", kill);
    kill();
    const how = await ended;
    if (how !== 0) throw new Error(`the demo ended with ${how}:\n${log}`);
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const ready = until(line);
    if (ready) return { ...ready, stop };
  }
  throw new Error(`the demo ended with ${await ended} before it was ready:\n${log}`);
}

/**
 * Starts a demo on a free port and waits for what it tells a program: `{ site_url, accounts, password, provider_url, … }`.
 * `settings` are further variables of its environment.
 */
export function demo({ settings = {} } = {}) {
  return start(["--json", "--listen", "127.0.0.1:0"], settings, (line) => {
    const said = JSON.parse(line);
    return said.site_url && said;
  });
}

/** Starts a demo as people do, and waits for what it tells them: `{ text }`. */
export function demoForPeople() {
  let text = "";
  return start(["--listen", "127.0.0.1:0"], {}, (line) => {
    text += `${line}\n`;
    return line.startsWith("Ctrl-C") && { text };
  });
}

/** One of the program's other commands, on the machine on which the demo runs. Gives what it printed. */
export async function tessera(demo, ...words) {
  return (await promisify(execFile)(program(), [...words, "--data", demo.data])).stdout;
}
