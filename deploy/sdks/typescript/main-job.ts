/** The main job against a running server: VOCELIO_URL, VOCELIO_EMAIL, VOCELIO_PASSWORD, CONTACTS (a file of 20 rows). */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Vocelio } from "./vocelio.js";

const { VOCELIO_URL, VOCELIO_EMAIL, VOCELIO_PASSWORD, CONTACTS } = process.env;
const vocelio = new Vocelio(VOCELIO_URL!, { email: VOCELIO_EMAIL!, password: VOCELIO_PASSWORD! });
const listName = `TypeScript ${Date.now()}`;
const file = new Blob([new Uint8Array(await readFile(CONTACTS!))]);
const job = await vocelio.uploadContacts(file, "contacts.csv", { listName });
const imported = await vocelio.waitForImport(job.jobId);
assert.equal(imported.results.totalRows, 20);
const { data: found } = await vocelio.api.GET("/v1/contact-lists", { params: { query: { search: listName } } });
const list = found!.data[0]!;
const contacts = [];
for await (const contact of vocelio.pages("/v1/contacts", { listId: list.id, limit: 7 })) contacts.push(contact);
assert.equal(contacts.length, 20);
const { data: started } = await vocelio.api.POST("/v1/dnc/scrub-campaign", {
  body: { contactListIds: [list.id], options: { createCleanList: false } },
});
const scrub = await vocelio.waitForScrub(started!.data.scrubJobId);
assert.equal(scrub.totalContacts, 20);
const { data: numbers } = await vocelio.api.GET("/v1/dnc/scrub-results/{id}/numbers", {
  params: { path: { id: scrub.id } },
});
assert.equal(numbers!.data.length, 20);
// Changes arrive on the WebSocket once the channel is followed.
const events = vocelio.follow("contacts");
let heard: string | undefined;
const first = events.next().then((event) => (heard = event.value!.type));
for (let round = 0; heard === undefined && round < 50; round++) {
  const id = contacts[0]!.id;
  await vocelio.api.PATCH("/v1/contacts/{id}", { params: { path: { id } }, body: { company: `Looms ${round}` } });
  await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 200))]);
}
assert.equal(heard, "contact_updated");
await events.return(undefined);
await vocelio.close();
console.log(`${contacts.length} contacts, ${scrub.cleanContacts} clean of ${scrub.totalContacts}`);
