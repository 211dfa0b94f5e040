import { framesOf, type Drawing } from "./model";

/** The drawing of the path's own route, the most likely one; the others are folded away. */
export function firstRoute(d: Drawing): Drawing {
  const edges = d.edges.filter((e) => e.number !== undefined);
  const on = new Set([...d.keep, ...edges.flatMap((e) => [e.from, e.to])]);
  const nodes = d.nodes.filter((n) => on.has(n.id));
  return { ...d, nodes, edges, frames: framesOf(nodes, d.frames) };
}

/** The things and steps between entry and target that every route passes, in the order of the first. */
export function chokes(d: Drawing): string[] {
  const out = new Map<string, { to: string; id: string }[]>();
  for (const e of d.edges) out.set(e.from, [...(out.get(e.from) ?? []), e]);
  const arrives = (without: string) => {
    const seen = new Set([d.entry]),
      todo = [d.entry];
    for (let at = todo.pop(); at !== undefined; at = todo.pop())
      for (const e of out.get(at) ?? [])
        if (e.id !== without && e.to !== without && !seen.has(e.to)) {
          seen.add(e.to);
          todo.push(e.to);
        }
    return seen.has(d.target);
  };
  if (!arrives("")) return [];
  const first = d.edges
    .filter((e) => e.number !== undefined)
    .sort((a, b) => (a.number ?? 0) - (b.number ?? 0))
    .flatMap((e) => [e.id, e.to]);
  return [...new Set(first)].filter((id) => id !== d.target && id !== d.entry && !arrives(id));
}
