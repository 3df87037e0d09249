/* What is particular to the board of deals. */
(() => {
  "use strict";
  /* What a stage may ask for, and how it is asked. Each returns a label with inputs, and what to send. */
  const ask = {
    amount: async ({ input }) => input(gettext("Amount"), "number", "amount").concat((value) => ({ amount: value })),
    expectedCloseOn: async ({ input }) => input(gettext("Expected close"), "date", "expectedCloseOn").concat((value) => ({ expectedCloseOn: value })),
    description: async ({ input }) => input(gettext("Description"), "text", "description").concat((value) => ({ description: value })),
    source: async ({ input }) => input(gettext("Source"), "text", "source").concat((value) => ({ source: value })),
    client: async ({ search }) => search(gettext("Client"), "clients").concat((value) => ({ clientId: value })),
    contacts: async ({ search }) => search(gettext("Contact"), "contacts").concat((value) => ({ contacts: [{ contactId: value, isPrimary: true }] })),
    assignedTo: async ({ choice }) =>
      (await choice(gettext("Owner"), "members?limit=200", (each) => [each.userId ?? each.user?.id, each.name ?? each.email])).concat((value) => ({ assignedTo: value })),
    lostReason: async ({ choice }) =>
      (await choice(gettext("Lost because"), "lost-reasons?limit=200", (each) => [each.id, each.name])).concat((value) => ({ lostReasonId: value })),
    lines: async ({ input }) => {
      const [name, readName] = input(gettext("Product or service"), "text", "line");
      const [price, readPrice] = input(gettext("Price"), "number", "price");
      name.append(price);
      return [name, () => 1, () => ({ lines: [{ name: readName(), unitPrice: readPrice() }] })];
    },
    nextActivity: async ({ api, input }) => {
      const [subject, readSubject] = input(gettext("What is next"), "text", "subject");
      const [due, readDue] = input(gettext("When"), "datetime-local", "due");
      subject.append(due);
      const plan = async (dealId) =>
        api("POST", "sales-activities", { kind: "task", subject: readSubject(), dueAt: new Date(readDue()).toISOString(), dealId });
      return [subject, () => 1, () => ({}), plan];
    },
  };

  const lines = (deal, { money, day, fill }) => [
    ...(deal.client ? [["", deal.client.name]] : []),
    ["board-amount", money(deal.amount, deal.currency)],
    ...(deal.expectedCloseOn ? [["", fill(gettext("closes %(day)s"), { day: day(deal.expectedCloseOn) })]] : []),
    ["", deal.assignedTo ? deal.assignedTo.name : gettext("nobody's")],
    ...(deal.isRotting ? [["board-rotting", fill(gettext("rotting since %(day)s"), { day: day(deal.stageEnteredAt) })]] : []),
    ...(!deal.isRotting && deal.status === "open" && !deal.nextActivityAt ? [["board-none", gettext("nothing planned")]] : []),
  ];

  showBoard({
    path: "deals",
    undo: "deals/undo-move",
    ids: "dealIds",
    asksMany: (stage) => (stage.kind === "lost" ? ["lostReason"] : []),
    cards: "deals",
    counted: (number, written) => interpolate(ngettext("%(written)s deal", "%(written)s deals", number), { written }, true),
    query: (board) => ({ pipelineId: board.dataset.pipeline }),
    subscribe: (board) => ({ deals: { pipelineId: board.dataset.pipeline }, pipelines: {} }),
    isMine: (frame) => frame.type.startsWith("deal") || frame.type === "pipeline_changed",
    idOf: (frame) => frame.data.dealId,
    title: (deal) => deal.name,
    lines,
    heading: (column, data, { money }) => money(column.amount, data.currency),
    ask,
  });
})();
