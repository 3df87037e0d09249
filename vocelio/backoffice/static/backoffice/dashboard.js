/* Tiles that the socket calls out of date are drawn anew by the server and put in place. */
(() => {
  "use strict";
  document.addEventListener("DOMContentLoaded", () => {
    const tiles = document.getElementById("dashboard");
    const live = document.getElementById("board-live");
    document.getElementById("dashboard-arrange")?.addEventListener("click", () => tiles.classList.toggle("is-editing"));

    const put = (fresh) => {
      const old = document.getElementById(fresh.id);
      const before = old?.querySelector("canvas");
      const after = fresh.querySelector("canvas");
      const chart = before && window.Chart?.getChart(before);
      if (chart && after && before.dataset.type === after.dataset.type) {
        // The chart stays and gets the numbers: colours were worked out when it was made.
        const data = JSON.parse(after.dataset.value);
        chart.data.labels = data.labels;
        data.datasets.forEach((line, index) => {
          if (chart.data.datasets[index]) chart.data.datasets[index].data = line.data;
        });
        chart.update();
      } else if (old && !after) {
        old.querySelector(".tile-body").replaceChildren(...fresh.querySelector(".tile-body").childNodes);
      } else {
        location.reload();
      }
      old?.classList.remove("is-stale");
    };

    const renew = async (data) => {
      for (const id of data.stale) document.getElementById(`tile-${id}`)?.classList.add("is-stale");
      const query = new URLSearchParams({ tiles: data.stale.join(","), newerThan: data.changedAt });
      const answer = await fetch(`${tiles.dataset.tiles}?${query}`);
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = [...page.querySelectorAll(".tile")];
      fresh.forEach(put);
      // Figures that take long rest for a while: asked again until they are newer than what happened.
      const old = fresh.filter((tile) => tile.dataset.asOf && new Date(tile.dataset.asOf) < new Date(data.changedAt));
      if (old.length) setTimeout(() => renew({ ...data, stale: old.map((tile) => tile.id.slice(5)) }), 10000);
    };

    const listen = () => {
      const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
      socket.onopen = () => socket.send(JSON.stringify({ type: "authenticate", session: true }));
      socket.onmessage = (message) => {
        const frame = JSON.parse(message.data);
        if (frame.type === "authenticated")
          socket.send(JSON.stringify({ type: "subscribe", channel: "dashboard", dashboardId: tiles.dataset.id }));
        else if (frame.type === "subscribed") {
          live.textContent = gettext("live");
          live.classList.add("is-live");
        } else if (frame.type === "dashboard_stale") renew(frame.data);
        else if (frame.type === "dashboard_changed") location.reload();
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
