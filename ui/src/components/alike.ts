import type { Schemas } from "../api/client";

type Gap = Schemas["Gap"];
export interface Alike {
  first: Gap;
  /** Of how many, what could not be seen is told once. */
  all: Gap[];
}

/** Gaps of one reason and one consequence, told once with what they concern. */
export function alike(gaps: readonly Gap[]): Alike[] {
  const by = new Map<string, Alike>();
  for (const g of gaps) {
    const key = JSON.stringify([g.cluster ?? "", g.source, g.why, g.consequence]);
    const same = by.get(key);
    if (same) same.all.push(g);
    else by.set(key, { first: g, all: [g] });
  }
  return [...by.values()];
}
