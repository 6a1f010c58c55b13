// Live events of the site.

import { siteUrl } from "./api.js";

const LONGEST = 30_000;

/** Calls `heard(event, data)` for each event, and `heard("hello")` whenever it is connected anew. */
export function listen(heard) {
  let pause = 500;
  const connect = () => {
    const url = new URL("api/v4/websocket", siteUrl);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.addEventListener("message", (message) => {
      const { event, data } = JSON.parse(message.data);
      if (event === "hello") pause = 500;
      if (event) heard(event, data ?? {});
    });
    socket.addEventListener("close", () => {
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, LONGEST);
    });
  };
  connect();
}
