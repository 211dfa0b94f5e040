import type { Schemas } from "../../api/client";

/** What a person types of a registry, as it stands in the fields. */
export interface Typed {
  host: string;
  repositories: string;
  tagNames: string;
  tags: string;
  maxAge: string;
  platforms: string;
  every: string;
  hours: string;
  insecure: boolean;
  mirror: string;
  proxy: string;
  authorities: string;
}

const words = (text: string) => text.split(/[\s,]+/).filter(Boolean);
const lines = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

/** The fields as they are for a registry that is connected, or empty. */
export function typedOf(host: string, old?: Schemas["Registry"]): Typed {
  const f = old?.filters;
  return {
    host,
    repositories: f?.repositories.join("\n") ?? "",
    tagNames: f?.tagNames.join("\n") ?? "",
    tags: String(f?.tags || ""),
    maxAge: f?.maxAge ?? "",
    platforms: f?.platforms.join("\n") ?? "",
    every: f?.every ?? "",
    hours: f?.hours.join("\n") ?? "",
    insecure: old?.insecure ?? false,
    mirror: old?.way.mirror ?? "",
    proxy: old?.way.proxy ?? "",
    authorities: old?.way.authorities ?? "",
  };
}

const some = <T extends { length: number }>(said: T): T | undefined => (said.length > 0 ? said : undefined);

/** What was typed, as the server takes it. */
export function asked(t: Typed): Schemas["RegistryRequest"] {
  return {
    host: t.host.trim(),
    repositories: words(t.repositories),
    tagNames: some(words(t.tagNames)),
    tags: Number(t.tags) || 0,
    maxAge: some(t.maxAge.trim()),
    platforms: some(words(t.platforms)),
    every: some(t.every.trim()),
    hours: some(lines(t.hours)),
    insecure: t.insecure,
    mirror: some(t.mirror.trim()),
    proxy: some(t.proxy.trim()),
    authorities: some(t.authorities.trim()),
  };
}
