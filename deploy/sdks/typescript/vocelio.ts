/**
 * Vocelio's API with what a generator cannot know: signing in, retries, pages, files, jobs, live events.
 *
 *     const vocelio = new Vocelio("https://vocelio.example.com", { token: "voc_..." });
 *     for await (const contact of vocelio.pages("/v1/contacts", { search: "garc" })) console.log(contact.phone);
 *
 * `vocelio.api` is an openapi-fetch client: GET, POST, PUT, PATCH and DELETE of every path, typed by the schema.
 */
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type { components, paths } from "./schema.js";
export type Schemas = components["schemas"];

const ATTEMPTS = 5;
const BUSY = new Set([429, 502, 503, 504]);
const UNSAFE = new Set(["POST", "PUT", "PATCH", "DELETE"]);
/** Their answers hold secrets and are nowhere kept, so a key does not make them safe to repeat. */
const NOT_KEPT = ["/v1/auth/", "/v1/api-tokens", "/v1/webhook-endpoints"];

export interface SignIn {
  token?: string;
  email?: string;
  password?: string;
  organizationId?: string;
}

/** The server's refusal: `status`, `code` such as CONTACT_EXISTS, and `details` with every bad field. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: unknown,
    readonly requestId: string,
  ) {
    super(`${status} ${code}: ${message}`);
  }
}

/** Paths whose GET answers a list. */
type Row<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": { data: (infer R)[]; pagination: unknown } } } } };
}
  ? R
  : never;
export type ListPath = { [P in keyof paths]: Row<P> extends never ? never : P }[keyof paths];

export interface Frame {
  type: string;
  data: Record<string, unknown>;
  sequence: number;
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Vocelio {
  readonly api: Client<paths>;
  private accessToken: string;
  private refreshToken = "";

  constructor(
    private readonly baseUrl: string,
    private readonly signIn: SignIn,
  ) {
    this.accessToken = signIn.token ?? "";
    this.api = createClient<paths>({ baseUrl, fetch: (request) => this.send(request) });
  }

  /** Sign in by password now rather than with the first call; nothing to do with an API token. */
  async open(): Promise<this> {
    if (!this.accessToken && this.signIn.email) {
      const { email, password, organizationId } = this.signIn;
      this.keep(await this.post("/v1/auth/login", { email, password, organizationId }));
    }
    return this;
  }

  /** Sign out where a password signed in. */
  async close(): Promise<void> {
    if (this.refreshToken) await this.post("/v1/auth/logout", { refreshToken: this.refreshToken });
    this.refreshToken = this.accessToken = "";
  }

  /** Every row of a list to its end, by cursor. */
  async *pages<P extends ListPath>(path: P, query: Record<string, unknown> = {}): AsyncGenerator<Row<P>> {
    let cursor: string | null = "";
    while (cursor !== null) {
      const parameters = new URLSearchParams({ limit: "200", cursor });
      for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
      const answer = await this.send(new Request(`${this.baseUrl}${String(path)}?${parameters}`));
      const page = (await answer.json()) as { data: Row<P>[]; pagination: { nextCursor: string | null } };
      yield* page.data;
      cursor = page.pagination.nextCursor;
    }
  }

  /** Upload a file of contacts and return the job; options are those of the form, `listName` for one. */
  async uploadContacts(
    file: Blob,
    filename: string,
    options: Record<string, string> = {},
  ): Promise<Schemas["ImportStarted"]> {
    const form = new FormData();
    form.set("file", file, filename);
    for (const [name, value] of Object.entries(options)) form.set(name, value);
    const answer = await this.send(new Request(`${this.baseUrl}/v1/uploads/contacts`, { method: "POST", body: form }));
    return ((await answer.json()) as { data: Schemas["ImportStarted"] }).data;
  }

  /** Ask for a job until it is over, and return it; throw unless it is completed. */
  async waitFor<J extends { status?: string }>(
    look: () => Promise<J>,
    { told = (_: J) => {}, every = 500, timeout = 3_600_000 } = {},
  ): Promise<J> {
    const deadline = Date.now() + timeout;
    for (;;) {
      const job = await look();
      told(job);
      if (job.status === "completed") return job;
      if (job.status === "failed" || job.status === "cancelled") throw new Error(`The job has ${job.status}.`);
      if (Date.now() > deadline) throw new Error(`The job is still ${job.status}.`);
      await sleep(every);
    }
  }

  async waitForImport(id: string): Promise<Schemas["ImportDetail"]> {
    return this.waitFor(async () => {
      const { data } = await this.api.GET("/v1/uploads/contacts/{id}", { params: { path: { id } } });
      return data!.data;
    });
  }

  async waitForScrub(id: string): Promise<Schemas["Scrub"]> {
    return this.waitFor(async () => {
      const { data } = await this.api.GET("/v1/dnc/scrub-results/{id}", { params: { path: { id } } });
      return data!.data;
    });
  }

  /** The events of a channel as they come, `import_progress` of a `jobId` for example; ends with the connection. */
  async *follow(channel: string, parameters: Record<string, unknown> = {}): AsyncGenerator<Frame> {
    await this.open();
    const socket = new WebSocket(`${this.baseUrl.replace(/^http/, "ws")}/ws`);
    const frames: Frame[] = [];
    let wake = () => {};
    let isOver = false;
    socket.onmessage = (message) => {
      frames.push(JSON.parse(String(message.data)) as Frame);
      wake();
    };
    socket.onclose = () => {
      isOver = true;
      wake();
    };
    socket.onopen = () => socket.send(JSON.stringify({ type: "authenticate", token: this.accessToken }));
    try {
      for (;;) {
        const frame = frames.shift();
        if (frame === undefined) {
          if (isOver) return;
          await new Promise<void>((resolve) => (wake = resolve));
        } else if (frame.type === "authenticated") {
          socket.send(JSON.stringify({ type: "subscribe", channel, ...parameters }));
        } else if (frame.type === "error") {
          const { code, message } = frame as unknown as { code: string; message: string };
          throw new ApiError(400, code, message, {}, "");
        } else if (frame.type !== "subscribed") {
          yield frame;
        }
      }
    } finally {
      socket.close();
    }
  }

  /** Send a request with token and Idempotency-Key; renew the one, repeat by the other, throw refusals. */
  private async send(request: Request): Promise<Response> {
    await this.open();
    if (UNSAFE.has(request.method) && !request.headers.has("Idempotency-Key"))
      request.headers.set("Idempotency-Key", crypto.randomUUID());
    let answer = await this.try(request);
    if (answer.status === 401 && this.refreshToken) {
      this.keep(await this.post("/v1/auth/refresh", { refreshToken: this.refreshToken }));
      answer = await this.try(request);
    }
    if (!answer.ok) throw await refusal(answer);
    return answer;
  }

  private async try(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const isRepeatable = !UNSAFE.has(request.method) || !NOT_KEPT.some((start) => path.startsWith(start));
    for (let attempt = 1; ; attempt++) {
      const copy = request.clone();
      if (this.accessToken) copy.headers.set("Authorization", `Bearer ${this.accessToken}`);
      if (this.signIn.organizationId) copy.headers.set("X-Organization-ID", this.signIn.organizationId);
      let wait = (0.5 + Math.random() / 2) * 2 ** (attempt - 1) * 1000;
      try {
        const answer = await fetch(copy);
        if (!BUSY.has(answer.status) || attempt === ATTEMPTS) return answer;
        const asked = Number(answer.headers.get("Retry-After"));
        if (asked > 0) wait = asked * 1000;
      } catch (problem) {
        if (attempt === ATTEMPTS || !isRepeatable) throw problem;
      }
      await sleep(wait);
    }
  }

  private async post(path: string, body: unknown): Promise<{ data: Schemas["Tokens"] }> {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(this.baseUrl + path, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw await refusal(answer);
    return (await answer.json()) as { data: Schemas["Tokens"] };
  }

  private keep(answer: { data: Schemas["Tokens"] }): void {
    this.accessToken = answer.data.accessToken;
    this.refreshToken = answer.data.refreshToken;
  }
}

async function refusal(answer: Response): Promise<ApiError> {
  const text = await answer.text();
  try {
    const { code, message, details, requestId } = JSON.parse(text).error;
    return new ApiError(answer.status, code, message, details, requestId);
  } catch {
    return new ApiError(answer.status, "UNKNOWN", text.slice(0, 200), {}, "");
  }
}
