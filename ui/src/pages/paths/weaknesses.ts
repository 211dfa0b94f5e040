import type { Schemas } from "../../api/client";

type Found = Schemas["PathVulnerability"];
export type Weakness = Found & { packages: Found[] };

/** What opens a path, each vulnerability once with the packages that have it: headings count these. */
export function weaknesses(found: readonly Found[]): Weakness[] {
  const by = new Map<string, Weakness>();
  for (const one of found) {
    const same = by.get(one.id);
    if (!same) by.set(one.id, { ...one, packages: [one] });
    else if (!same.packages.some((p) => p.package === one.package && p.installed === one.installed))
      same.packages.push(one);
  }
  return [...by.values()];
}
