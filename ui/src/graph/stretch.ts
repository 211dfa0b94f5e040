import { framesOf, stepId, type Drawing, type DrawnEdge, type DrawnFrame, type DrawnNode } from "./model";

/** A drawing of more things than this is long, and so many in a row, each leading only to the next, are then drawn as one. */
const long = 12,
  row = 5;

/** Folds what lies in a row between the things that matter, until it is opened. */
export function stretched(d: Drawing, opened: ReadonlySet<string>): Drawing {
  if (d.nodes.length <= long) return d;
  const next = new Map<string, Set<string>>(),
    before = new Map<string, Set<string>>();
  const add = (of: typeof next, id: string, other: string) => (of.get(id) ?? of.set(id, new Set()).get(id))?.add(other);
  for (const e of d.edges) {
    add(next, e.from, e.to);
    add(before, e.to, e.from);
  }
  const inner = (id: string) => !d.keep.has(id) && next.get(id)?.size === 1 && before.get(id)?.size === 1;
  const only = (of: typeof next, id: string) => [...(of.get(id) ?? [])][0] ?? "";
  let drawn = d;
  for (const n of d.nodes) {
    if (!inner(n.id) || inner(only(before, n.id))) continue; // not where a row begins
    const chain: string[] = [];
    for (let at = n.id; inner(at) && !chain.includes(at); at = only(next, at)) chain.push(at);
    if (chain.length >= row) drawn = folded(drawn, chain, opened);
  }
  return drawn;
}

function folded(d: Drawing, chain: string[], opened: ReadonlySet<string>): Drawing {
  const inside = new Set(chain),
    name = `between ${chain[0]}`;
  const members = chain.flatMap((id) => d.nodes.filter((n) => n.id === id)),
    first = members[0];
  if (!first) return d;
  if (opened.has(name))
    return { ...d, nodes: d.nodes.map((n) => (n.id === first.id && !n.fold ? { ...n, fold: name, open: true } : n)) };
  const kinds = [...new Set(members.map((n) => n.kind))];
  const one: DrawnNode = {
    id: name,
    fold: name,
    open: false,
    frame: around(members, d.frames),
    kind: "Folded",
    notes: kinds.map((text) => ({ text, why: "Among what lies between.", warns: false })),
    thing: { id: name, kind: "", name: `${members.length} things between`, count: members.length },
    between: members,
    hides: new Set([...chain, ...d.edges.filter((e) => inside.has(e.from) && inside.has(e.to)).flatMap(idsOf)]),
  };
  const nodes = d.nodes.flatMap((n) => (n.id === first.id ? [one] : inside.has(n.id) ? [] : [n]));
  return {
    ...d,
    nodes,
    frames: framesOf(nodes, d.frames),
    edges: d.edges.flatMap((e) => {
      const from = inside.has(e.from) ? name : e.from,
        to = inside.has(e.to) ? name : e.to;
      return from === to ? [] : [{ ...e, from, to }];
    }),
  };
}

const idsOf = (e: DrawnEdge) => [e.id, ...e.steps.map(stepId)];

/** The innermost frame around all of them. */
function around(nodes: DrawnNode[], frames: DrawnFrame[]): string | undefined {
  const ways = nodes.map((n) => {
    const way: string[] = [];
    for (let f = n.frame; f && !way.includes(f); f = frames.find((o) => o.id === f)?.parent) way.push(f);
    return way;
  });
  return ways[0]?.find((f) => ways.every((w) => w.includes(f)));
}
