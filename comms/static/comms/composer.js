// Shows beside a form what a contact will get, a moment after the last key.
const panel = document.getElementById("preview");
const form = document.getElementById(panel.dataset.form);
const part = (name) => document.getElementById(`preview-${name}`);
let waiting, asked = 0;

async function show() {
    const number = ++asked;
    const answer = await fetch(panel.dataset.url, {method: "POST", body: new FormData(form)});
    if (!answer.ok || number !== asked) return;
    const shown = await answer.json();
    part("note").textContent = shown.note || "";
    part("to").textContent = shown.to ? interpolate(gettext("To %(name)s"), {name: shown.to}, true) : "";
    part("subject").textContent = shown.subject || "";
    part("text").textContent = shown.body_html ? "" : shown.body_text || "";
    part("html").hidden = !shown.body_html;
    part("html").srcdoc = shown.body_html || "";
    part("problems").replaceChildren(...(shown.problems || []).map((problem) => {
        const item = document.createElement("li");
        item.textContent = problem.message;
        return item;
    }));
}

form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 300); });
form.addEventListener("change", show);
show();
