import createFetchClient from "openapi-fetch";
import createClient from "openapi-react-query";
import { scoped, within } from "../lib/scope";
import type { components, paths } from "./schema.gen";

export type Schemas = components["schemas"];

/** The server that this page came from; fetch is looked up late so that tests can intercept it. */
export const server = createFetchClient<paths>({
  baseUrl: `${globalThis.location.origin}/api/v1`,
  fetch: (request) => globalThis.fetch(request),
});

if (within) server.use({ onRequest: ({ request }) => new Request(scoped(request.url), request) });

export const api = createClient(server);
