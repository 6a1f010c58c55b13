// Live events of the site.

import { siteUrl } from "./api.js";

const LONGEST = 30_000;

/** Calls `heard(event, data)` for each event, `heard("hello")` whenever it is connected anew, and `heard("lost")` when not. */
export function listen(heard) {
  let pause = 500;
  let socket;
  const connect = () => {
    const url = new URL("api/v4/websocket", siteUrl);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(url);
    socket.addEventListener("message", (message) => {
      const { event, data } = JSON.parse(message.data);
      if (event === "hello") pause = 500;
      if (event) heard(event, data ?? {});
    });
    socket.addEventListener("close", () => {
      heard("lost", {});
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, LONGEST);
    });
  };
  // Browsers do not close what hangs on a network that is gone.
  window.addEventListener("offline", () => socket.close());
  connect();
}
