/* Follows the jobs a page shows: asks for their state each second while one of them runs. */
(() => {
  "use strict";
  const running = () =>
    [...document.querySelectorAll(".job")].filter((job) => ["pending", "processing"].includes(job.dataset.status));

  const show = (job, state) => {
    job.dataset.status = state.status;
    job.querySelector(".job-bar").style.width = `${state.progress}%`;
    // As the server writes them, in the viewer's language.
    job.querySelector(".job-text").textContent = state.text;
  };

  const count = (state) => {
    for (const figure of document.querySelectorAll(`[data-counts="${state.id}"] [data-count]`))
      figure.textContent = state.counts[figure.dataset.count].toLocaleString(document.documentElement.lang);
  };

  const poll = async () => {
    const jobs = running();
    if (!jobs.length) return;
    let wait = 1000;
    try {
      const ids = [...new Set(jobs.map((job) => job.dataset.job))].slice(0, 100).join(",");
      const answer = await fetch(`/admin/jobs/progress/?ids=${ids}`, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const states = new Map((await answer.json()).jobs.map((state) => [state.id, state]));
        for (const job of jobs) if (states.has(job.dataset.job)) show(job, states.get(job.dataset.job));
        states.forEach(count);
        // The finished row has more to say than its bar.
        if (running().length < jobs.length && !document.querySelector("form.draft.is-edited")) return window.location.reload();
      } else wait = 10000;
    } catch {
      wait = 5000; // The server is away; it may come back.
    }
    setTimeout(poll, document.hidden ? 10000 : wait);
  };

  document.addEventListener("DOMContentLoaded", poll);

  document.addEventListener("change", (event) => {
    // A reload would lose what was chosen.
    event.target.closest("form.draft")?.classList.add("is-edited");
    const drop = event.target.closest(".drop");
    if (drop && event.target.files.length) drop.querySelector(".drop-name").textContent = event.target.files[0].name;
  });
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]])
    document.addEventListener(name, (event) => event.target.closest?.(".drop")?.classList.toggle("is-over", over));
})();
