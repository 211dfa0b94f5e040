import type { Schemas } from "../api/client";

function link(page: string, params: Record<string, string | undefined>): string {
  const search = new URLSearchParams();
  for (const [k, v] of Object.entries(params)) if (v) search.set(k, v);
  return `${page}?${search.toString()}`;
}

/** The one page of a thing. */
export function thingPage(kind: string, id: string): string {
  if (kind === "Image") return link("/image", { id });
  if (kind === "Vulnerability") return link("/vulnerability", { id });
  return link("/entity", { kind, id });
}

export const pathPage = (p: Pick<Schemas["PathRow"], "cluster" | "id">) => link("/path", { cluster: p.cluster, id: p.id });

/** The vulnerabilities that open a path, or one of them. */
export const pathVulnerabilities = (cluster: string, path: string, q?: string) => link("/vulnerabilities", { cluster, path, q });

export const question = (text: string) => link("/explorer", { q: text });
