/* Reads the figures anew a few seconds after somebody changed what they count. */
(() => {
  "use strict";
  document.addEventListener("DOMContentLoaded", () => {
    const live = document.getElementById("board-live");
    let timer = 0;
    const listen = () => {
      const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
      socket.onopen = () => socket.send(JSON.stringify({ type: "authenticate", session: true }));
      socket.onmessage = (message) => {
        const frame = JSON.parse(message.data);
        if (frame.type === "authenticated") socket.send(JSON.stringify({ type: "subscribe", channel: live.dataset.channel }));
        else if (frame.type === "subscribed") {
          live.textContent = gettext("live");
          live.classList.add("is-live");
        } else if (frame.type.startsWith(live.dataset.events)) {
          clearTimeout(timer);
          timer = setTimeout(() => location.reload(), 3000);
        }
      };
      socket.onclose = (event) => {
        live.textContent = gettext("not live");
        live.classList.remove("is-live");
        if (event.code !== 4401 && event.code !== 4403) setTimeout(listen, 5000);
      };
    };
    listen();
  });
})();
