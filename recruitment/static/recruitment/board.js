/* What is particular to the board of a job's applications. */
(() => {
  "use strict";
  const ask = {
    rejectionReason: async ({ choice }) =>
      (await choice(gettext("Rejected because"), "rejection-reasons?limit=200", (each) => [each.id, each.name])).concat((value) => ({ rejectionReasonId: value })),
  };
  const stars = (rating) => "★".repeat(rating) + "☆".repeat(5 - rating);
  const lines = (card, { day, fill }) => [
    ...(card.rating ? [["board-amount", stars(card.rating)]] : []),
    ["", fill(gettext("applied %(day)s"), { day: day(card.appliedAt) }) + (card.source ? `, ${card.source}` : "")],
    ["", card.assignedTo ? card.assignedTo.name : gettext("nobody's")],
    ...(card.tags.length ? [["", card.tags.join(", ")]] : []),
  ];

  showBoard({
    path: "applications",
    undo: "applications/undo",
    ids: "applicationIds",
    asksMany: (stage) => (stage.outcome === "rejected" ? ["rejectionReason"] : []),
    cards: "applications",
    counted: (number, written) =>
      interpolate(ngettext("%(written)s application", "%(written)s applications", number), { written }, true),
    query: (board) => ({ jobId: board.dataset.job }),
    subscribe: (board) => ({ applications: { jobId: board.dataset.job } }),
    isMine: (frame) => frame.type.startsWith("application"),
    idOf: (frame) => frame.data.applicationId,
    title: (card) => card.name,
    lines,
    ask,
  });
})();
