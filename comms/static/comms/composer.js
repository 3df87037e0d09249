// Shows beside the composer what the contact will get, a moment after the last key.
const form = document.getElementById("composer");
const part = (name) => document.getElementById(`preview-${name}`);
let waiting, asked = 0;

async function show() {
    const number = ++asked;
    const answer = await fetch(form.dataset.preview, {method: "POST", body: new FormData(form)});
    if (!answer.ok || number !== asked) return;
    const shown = await answer.json();
    part("to").textContent = shown.to ? `To ${shown.to}` : "";
    part("subject").textContent = shown.subject || "";
    part("text").textContent = shown.body_text || "";
    part("problems").replaceChildren(...(shown.problems || []).map((problem) => {
        const item = document.createElement("li");
        item.textContent = problem.message;
        return item;
    }));
}

form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 300); });
form.addEventListener("change", show);
show();
