import createFetchClient from "openapi-fetch";
import createClient from "openapi-react-query";
import { scoped, within } from "../lib/scope";
import { phrase, sentence } from "../lib/text";
import type { components, paths } from "./schema.gen";

export type Schemas = components["schemas"];

/** The server that this page came from; fetch is looked up late so that tests can intercept it. */
export const server = createFetchClient<paths>({
  baseUrl: `${globalThis.location.origin}/api/v1`,
  fetch: (request) => globalThis.fetch(request),
});

if (within) server.use({ onRequest: ({ request }) => new Request(scoped(request.url), request) });

/** What a refusal means where the one who refused (a proxy before the server) said nothing that we know. */
const refusals: Record<number, [title: string, detail: string]> = {
  413: ["Too large", "What was sent is larger than is taken: send less of it at once."],
  429: [
    "Too much at once",
    "You have asked for too much at once: wait for what is still asked, or close pages that you do not need.",
  ],
  502: [
    "The server does not answer",
    "What stands before it could not reach it. Your question is not lost: ask again.",
  ],
  503: ["The server is busy", "It takes no more questions now. Your question is not lost: ask again in a moment."],
  504: ["The server took too long", "What stands before it waited no longer. Narrow the question, or ask again later."],
};

/** Puts when to ask again, which is in the head of an answer, beside what a refusal says. */
export async function told(response: Response): Promise<Response | undefined> {
  const ours = refusals[response.status];
  if (!ours) return undefined;
  let said: { title?: string; detail?: string } = {};
  try {
    said = (await response.clone().json()) as typeof said;
  } catch {
    // no words of our server
  }
  const after = Number(response.headers.get("Retry-After") ?? "");
  const [title, detail] = said.title ? [phrase(sentence(said.title)), sentence(said.detail ?? "")] : ours;
  return Response.json(
    { ...said, title, detail, status: response.status, ...(after > 0 && { retryAfter: after }) },
    { status: response.status },
  );
}

server.use({ onResponse: ({ response }) => told(response) });

export const api = createClient(server);
