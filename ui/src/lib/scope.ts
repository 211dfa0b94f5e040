/** The one cluster that every page speaks of; "" for all. It is the beginning of the URL: /in/prod/paths. */
export const within = decodeURIComponent(/^\/in\/([^/]+)/.exec(globalThis.location.pathname)?.[1] ?? "");

/** Where the pages of a cluster are. */
export const base = (cluster: string) => (cluster ? `/in/${encodeURIComponent(cluster)}` : "");

/** An address of the API, within the scope. */
export function scoped(address: string): string {
  const url = new URL(address, globalThis.location.origin);
  if (within) url.searchParams.set("within", within);
  return url.href;
}
