/* Offers the dimensions that go with the chosen metrics, and steps in time where they have one. */
(() => {
  "use strict";
  document.addEventListener("DOMContentLoaded", () => {
    const form = document.getElementById("report-form");
    const known = JSON.parse(form.dataset.known);
    const states = new Set(JSON.parse(form.dataset.states));
    const field = (name) => form.elements[name];
    const shown = (name, is) => (form.querySelector(`[data-field="${name}"]`).hidden = !is);
    const fit = () => {
      const metrics = [field("metric").value, field("second_metric").value].filter(Boolean);
      for (const name of ["dimension", "second_dimension", "filter"]) {
        for (const option of field(name).options) {
          option.hidden = option.value !== "" && !metrics.every((metric) => known[metric].includes(option.value));
          if (option.hidden && option.selected) field(name).value = "";
        }
      }
      const isState = metrics.some((metric) => states.has(metric));
      if (isState) field("granularity").value = "";
      shown("granularity", !isState);
      shown("first", field("period").value === "days");
      shown("last", field("period").value === "days");
      shown("values", field("filter").value !== "");
    };
    for (const name of ["metric", "second_metric", "period"]) field(name).addEventListener("change", fit);
    // The values to choose from come with the page.
    field("filter").addEventListener("change", () => form.requestSubmit());
    fit();
  });
})();
