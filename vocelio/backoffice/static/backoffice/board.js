/* A board: cards by the API, moved by drag and drop, live through the WebSocket. A page brings what it is of:

   showBoard({ path, undo, ids, cards, counted, query, subscribe, isMine, idOf, title, lines, heading, ask, asksMany })

   path is of the API, cards the key of a column's cards, counted says how many of them, query is what the board is read with, subscribe the channels with
   their filters, isMine and idOf judge frames, lines are the texts of a card as [class, text], ask makes the questions of
   a stage's gates from the tools it is given. Many cards are moved at once: ids is what the API calls their ids, undo
   where that is taken back, asksMany the names of what a stage asks of all of them. */
const showBoard = (() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  let board, kind, csrf, data, dragged, done, reloadTimer, reading = 0;
  const marked = new Set();
  const chosen = new Set();

  const element = (tag, className = "", text = "") => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text) made.textContent = text; // Never innerHTML: names are what people typed.
    return made;
  };
  const money = (amount, currency) =>
    new Intl.NumberFormat(board.dataset.place, { style: "currency", currency, maximumFractionDigits: 0 }).format(Number(amount));
  const day = (text) => new Date(text).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "short" });
  const fill = (text, values) => interpolate(text, values, true);
  const failed = (answer) => answer.json.error?.message ?? gettext("That did not work.");

  const toast = (text) => {
    const shown = $("board-toast");
    shown.textContent = text;
    shown.classList.add("is-shown");
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => shown.classList.remove("is-shown"), 5000);
  };

  const api = async (method, path, body, headers = {}) => {
    const answer = await fetch(`/v1/${path}`, {
      method,
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrf, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: answer.status, json: await answer.json().catch(() => ({})) };
  };

  const filters = () => {
    const query = new URLSearchParams({ limit: "20", ...kind.query(board) });
    if ($("board-search").value.trim()) query.set("search", $("board-search").value.trim());
    if ($("board-mine").checked) query.set("assignedTo", "me");
    return query;
  };

  const card = (row) => {
    const shown = element("div", "board-card");
    shown.dataset.row = row.id;
    shown.dataset.version = row.version;
    shown.draggable = board.dataset.mayMove === "yes";
    if (marked.delete(row.id)) shown.classList.add("is-moved");
    const link = element("a", "", kind.title(row));
    link.href = board.dataset.change.replace("00000000-0000-0000-0000-000000000000", row.id);
    link.draggable = false;
    if (shown.draggable) {
      const box = element("input", "board-choose");
      Object.assign(box, { type: "checkbox", checked: chosen.has(row.id), ariaLabel: fill(gettext("Choose %(name)s"), { name: kind.title(row) }) });
      box.onchange = () => {
        chosen[box.checked ? "add" : "delete"](row.id);
        showChosen();
      };
      shown.append(box);
    }
    shown.append(link);
    for (const [className, text] of kind.lines(row, tools)) shown.append(element(className === "board-amount" ? "span" : "small", className, text));
    return shown;
  };

  const more = (column, cards) => {
    cards.querySelector(".board-more")?.remove();
    if (!column.nextCursor) return;
    const button = element("button", "board-more", gettext("More"));
    button.type = "button";
    button.onclick = async () => {
      const query = filters();
      query.set("cursor", column.nextCursor);
      const answer = await api("GET", `${kind.path}/board/${column.stage.id}?${query}`);
      if (answer.status !== 200) return toast(failed(answer));
      column.nextCursor = answer.json.pagination.nextCursor;
      column[kind.cards].push(...answer.json.data);
      button.remove();
      cards.append(...answer.json.data.map(card));
      more(column, cards);
    };
    cards.append(button);
  };

  const draw = () => {
    const scrolled = board.scrollLeft;
    const heights = new Map([...board.querySelectorAll(".board-cards")].map((each) => [each.parentNode.dataset.stage, each.scrollTop]));
    board.replaceChildren(
      ...data.columns.map((column) => {
        const shown = element("section", "board-column");
        shown.dataset.stage = column.stage.id;
        shown.dataset.kind = column.stage.kind ?? column.stage.outcome;
        const head = element("div", "board-head");
        head.append(element("b", "", column.stage.name));
        const counted = kind.counted(column.count, column.count.toLocaleString(board.dataset.place));
        head.append(element("span", "", kind.heading ? `${counted} · ${kind.heading(column, data, tools)}` : counted));
        const cards = element("div", "board-cards");
        cards.append(...column[kind.cards].map(card));
        more(column, cards);
        shown.append(head, cards);
        return shown;
      }),
    );
    showChosen();
    board.scrollLeft = scrolled;
    for (const cards of board.querySelectorAll(".board-cards")) cards.scrollTop = heights.get(cards.parentNode.dataset.stage) ?? 0;
  };

  const load = async () => {
    const mine = ++reading;
    const query = filters();
    const answer = await api("GET", `${kind.path}/board?${query}`);
    if (mine !== reading) return; // A later reading is on its way.
    if (answer.status !== 200) return toast(failed(answer));
    data = answer.json.data;
    draw();
  };
  const loadSoon = () => {
    clearTimeout(reloadTimer);
    reloadTimer = setTimeout(load, 150);
  };

  /* What a stage may ask for, and how it is asked. Each returns a label with inputs, and what to send. */
  const input = (label, type, name) => {
    const shown = element("label", "", label);
    const field = element("input");
    Object.assign(field, { type, name, required: true });
    shown.append(field);
    return [shown, () => field.value];
  };
  const choice = async (label, path, show) => {
    const shown = element("label", "", label);
    const field = element("select");
    field.required = true;
    field.append(element("option", "", ""));
    const answer = await api("GET", path);
    for (const each of answer.json.data ?? []) {
      const [value, text] = show(each);
      const option = element("option", "", text);
      option.value = value;
      field.append(option);
    }
    shown.append(field);
    return [shown, () => field.value];
  };
  const search = (label, path) => {
    const shown = element("label", "", label);
    const typed = element("input");
    const field = element("select");
    typed.placeholder = gettext("Type to search");
    field.required = true;
    typed.oninput = async () => {
      const answer = await api("GET", `${path}?limit=20&search=${encodeURIComponent(typed.value)}`);
      field.replaceChildren(
        ...(answer.json.data ?? []).map((each) => {
          const option = element("option", "", each.name ?? `${each.firstName} ${each.lastName}`.trim() ?? each.email);
          option.value = each.id;
          return option;
        }),
      );
    };
    shown.append(typed, field);
    return [shown, () => field.value];
  };
  /* Ask for what the stage needs; resolves to the fields to send, or null. */
  const ask = async (message, missing, id) => {
    const dialog = $("board-gate");
    const asked = await Promise.all(missing.map((name) => kind.ask[name](tools)));
    dialog.querySelector("h2").textContent = message;
    dialog.querySelector(".board-gate-error").textContent = "";
    dialog.querySelector(".board-gate-fields").replaceChildren(...asked.map(([shown]) => shown));
    dialog.querySelector("button[value=cancel]").onclick = () => dialog.close("cancel");
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue !== "move") return null;
    const fields = {};
    for (const [, read, make, plan] of asked) {
      if (plan) await plan(id);
      Object.assign(fields, make(read()));
    }
    return fields;
  };

  const move = async (row, stageId, fields = {}) => {
    const answer = await api("POST", `${kind.path}/${row.id}/move-stage`, { stageId, ...fields }, { "If-Match": `"${row.version}"` });
    if (answer.status === 200) {
      marked.add(row.id);
      return load();
    }
    const error = answer.json.error ?? { message: gettext("That did not work."), details: {} };
    if (error.code === "STAGE_GATE") {
      const more = await ask(error.message, error.details.missing, row.id);
      if (more) return move(row, stageId, { ...fields, ...more });
      toast(gettext("Left where it was."));
    } else if (error.code === "VERSION_CONFLICT") {
      const stage = data.columns.find((column) => column.stage.id === error.details.current.stageId);
      const where = { name: error.details.current.name, stage: stage ? stage.stage.name : gettext("another column") };
      toast(fill(gettext("Somebody else was faster: %(name)s is in %(stage)s now."), where));
      marked.add(row.id);
    } else toast(error.message);
    return load();
  };

  /* What is chosen stays so while others move cards; the bar says how many, where they may go, and what was done last. */
  const showChosen = () => {
    const bar = $("board-chosen");
    bar.replaceChildren();
    bar.hidden = !chosen.size && !done;
    const button = (text, work) => {
      const made = element("button", "", text);
      Object.assign(made, { type: "button", onclick: work });
      bar.append(made);
    };
    if (done) bar.append(element("b", "", done.text));
    if (done?.undoId) button(gettext("Undo"), () => takeBack(done.undoId));
    if (chosen.size) {
      const where = element("select");
      where.ariaLabel = gettext("Move the chosen to");
      where.append(element("option", "", gettext("Move to")));
      for (const { stage } of data.columns) where.append(Object.assign(element("option", "", stage.name), { value: stage.id }));
      where.onchange = () => where.selectedIndex && moveMany(where.value);
      bar.append(element("b", "", fill(gettext("%(number)s chosen"), { number: chosen.size })), where);
    }
    button(chosen.size ? gettext("Choose none") : gettext("Close"), () => {
      chosen.clear();
      done = undefined;
      draw();
    });
  };
  const counted = (number) => kind.counted(number, number.toLocaleString(board.dataset.place));
  const told = (moved, { errors }) => {
    const left = { moved, number: errors.length, reason: errors[0]?.error };
    return errors.length ? fill(gettext("%(moved)s, %(number)s left where they were: %(reason)s"), left) : moved;
  };
  const moveMany = async (stageId) => {
    const { stage } = data.columns.find((column) => column.stage.id === stageId);
    const missing = kind.asksMany(stage);
    const fields = missing.length ? await ask(fill(gettext("%(cards)s to %(stage)s"), { cards: counted(chosen.size), stage: stage.name }), missing) : {};
    if (!fields) return draw();
    const answer = await api("POST", `${kind.path}/bulk-operations`, { [kind.ids]: [...chosen], action: "move", data: { stageId, ...fields } });
    if (answer.status !== 200) return toast(failed(answer));
    const result = answer.json.data ?? answer.json;
    for (const id of chosen) marked.add(id);
    chosen.clear();
    const moved = fill(gettext("%(cards)s moved to %(stage)s"), { cards: counted(result.successful), stage: stage.name });
    done = { text: told(moved, result), undoId: result.undoId };
    return load();
  };
  const takeBack = async (undoId) => {
    const answer = await api("POST", kind.undo, { undoId });
    if (answer.status !== 200) return toast(failed(answer));
    const result = answer.json.data ?? answer.json;
    done = { text: told(fill(gettext("%(cards)s moved back"), { cards: counted(result.successful) }), result) };
    return load();
  };

  const listen = () => {
    const live = $("board-live");
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    socket.onopen = () => socket.send(JSON.stringify({ type: "authenticate", session: true }));
    socket.onmessage = (message) => {
      const frame = JSON.parse(message.data);
      if (frame.type === "authenticated") {
        for (const [channel, filters] of Object.entries(kind.subscribe(board))) socket.send(JSON.stringify({ type: "subscribe", channel, filters }));
      } else if (frame.type === "subscribed") {
        live.textContent = gettext("live");
        live.classList.add("is-live");
        loadSoon(); // What happened while nobody listened.
      } else if (kind.isMine(frame)) {
        if (kind.idOf(frame)) marked.add(kind.idOf(frame));
        loadSoon();
      }
    };
    socket.onclose = (event) => {
      live.textContent = gettext("not live");
      live.classList.remove("is-live");
      if (event.code !== 4401 && event.code !== 4403) setTimeout(listen, 3000);
    };
  };

  const tools = { element, money, day, fill, api, input, choice, search };
  const start = (given) => {
    kind = given;
    board = $("board");
    csrf = document.querySelector("input[name=csrfmiddlewaretoken]").value;
    board.addEventListener("dragstart", (event) => {
      const shown = event.target.closest(".board-card");
      if (!shown) return;
      dragged = { id: shown.dataset.row, version: Number(shown.dataset.version), from: shown.closest(".board-column").dataset.stage };
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", dragged.id);
    });
    board.addEventListener("dragover", (event) => {
      const column = event.target.closest(".board-column");
      for (const each of board.querySelectorAll(".is-over")) if (each !== column) each.classList.remove("is-over");
      // Held at an edge, a card brings the columns beyond it into view.
      const { left, right } = board.getBoundingClientRect();
      if (dragged && event.clientX > right - 48) board.scrollLeft += 16;
      if (dragged && event.clientX < left + 48) board.scrollLeft -= 16;
      if (!column || !dragged) return;
      event.preventDefault();
      column.classList.toggle("is-over", column.dataset.stage !== dragged.from);
    });
    board.addEventListener("drop", (event) => {
      const column = event.target.closest(".board-column");
      event.preventDefault();
      const row = dragged;
      dragged = undefined;
      if (!column || !row || column.dataset.stage === row.from) return;
      if (chosen.has(row.id) && chosen.size > 1) moveMany(column.dataset.stage);
      else move(row, column.dataset.stage);
    });
    board.addEventListener("dragend", () => {
      dragged = undefined;
      for (const each of board.querySelectorAll(".is-over")) each.classList.remove("is-over");
    });
    $("board-search").addEventListener("input", loadSoon);
    $("board-mine").addEventListener("change", load);
    load();
    listen();
  };
  return (given) => document.addEventListener("DOMContentLoaded", () => start(given));
})();
