import type { Schemas } from "../../api/client";

export type Row = Schemas["ExceptionRow"];

/** What an exception may name, beside unfixed; also the names of the URL that fill the form. */
export const names = ["vulnerability", "package", "image", "repository", "digest", "path"] as const;

export const stands = ["holds", "fits nothing", "over: counts again", "over", "ended"] as const;

/** How it stands, in a word or two. */
export function state(r: Row): (typeof stands)[number] {
  if (r.endedAt) return "ended";
  if (r.expired) return r.findings > 0 ? "over: counts again" : "over";
  return r.findings > 0 ? "holds" : "fits nothing";
}

/** What it names. */
export function of(r: Row): string {
  const said = names.filter((n) => r[n].length > 0).map((n) => r[n].join(" or "));
  if (r.unfixed) said.push("unfixed");
  return said.join(", ");
}

/** Values as a person types them: one a line, or with commas. */
export const values = (text: string) => text.split(/[\s,]+/).filter(Boolean);

/** A day so many days from now, in UTC, as the server reads it. */
export const inDays = (days: number, now = Date.now()) => new Date(now + days * 86_400_000).toISOString().slice(0, 10);
