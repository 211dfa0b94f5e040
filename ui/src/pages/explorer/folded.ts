import type { Schemas } from "../../api/client";

type Cell = Schemas["Cell"];

export interface Folded {
  key: string;
  cells: Cell[];
  times: number;
}

/** Rows that differ only in what is not shown, such as the package that brings a vulnerability, as one with a count. */
export function folded(rows: readonly Cell[][]): Folded[] {
  const found = new Map<string, Folded>();
  for (const cells of rows) {
    const key = JSON.stringify(cells),
      same = found.get(key);
    if (same) same.times++;
    else found.set(key, { key, cells, times: 1 });
  }
  return [...found.values()];
}
