import { nameOf } from "../lib/format";
import { stepId, type Drawing, type DrawnEdge, type DrawnNode } from "./model";
import { stretched } from "./stretch";

/** So many things that differ only in name are drawn as one. */
export const crowd = 4;

/**
 * The drawing as it is shown: replicas and siblings, and what lies in a long row, are one node with a count until
 * they are opened.
 * Siblings are things of one kind in one frame that stand in the same relations to the same groups.
 */
export function fold(whole: Drawing, opened: ReadonlySet<string>): Drawing {
  const d = spread(whole, opened);
  const groups = new Map<number, DrawnNode[]>();
  const classes = siblings(d);
  for (const n of d.nodes) groups.set(classes.get(n.id) ?? -1, [...(groups.get(classes.get(n.id) ?? -1) ?? []), n]);
  const stands = new Map<string, string>();
  const nodes = [...groups.values()].flatMap((group) => {
    const first = group[0],
      name = `siblings ${first?.id}`;
    if (!first || group.length < crowd || first.open) return group;
    if (opened.has(name)) return group.map((n) => ({ ...n, fold: name, open: true }));
    for (const n of group) stands.set(n.id, name);
    return [crowded(group, first, name)];
  });
  return stretched({ ...d, nodes: inOrder(nodes, d.nodes, stands), edges: merged(d.edges, stands) }, opened);
}

/** The row that has to be opened before a thing or step is in sight. */
export const hidden = (d: Drawing, id: string): string | undefined => d.nodes.find((n) => n.hides?.has(id))?.fold;

/** As what a thing or step is drawn: itself, or what it is folded into. */
export function shownAs(d: Drawing, id: string | undefined): string | undefined {
  if (id === undefined) return undefined;
  if (d.nodes.some((n) => n.id === id)) return id;
  const edge = d.edges.find((e) => e.id === id) ?? d.edges.find((e) => e.steps.some((s) => stepId(s) === id));
  return (edge ?? d.nodes.find((n) => n.thing.members?.includes(id)))?.id;
}

function crowded(group: DrawnNode[], first: DrawnNode, name: string): DrawnNode {
  const members = group.flatMap((n) => n.thing.members ?? [n.thing.id]);
  const shared = first.notes.filter((note) => group.every((n) => n.notes.some((o) => o.text === note.text)));
  return {
    ...first,
    id: name,
    fold: name,
    open: false,
    notes: shared,
    thing: {
      ...first.thing,
      id: name,
      name: `${first.thing.name}, …`,
      count: members.length,
      members,
      images: group.flatMap((n) => n.thing.images ?? []),
    },
  };
}

/** Opened replicas stand for themselves, each with the edges of all. */
function spread(d: Drawing, opened: ReadonlySet<string>): Drawing {
  const parts = new Map<string, DrawnNode[]>();
  for (const n of d.nodes) {
    if (!n.fold || !opened.has(n.fold)) continue;
    parts.set(
      n.id,
      (n.thing.members ?? []).map((m) => ({
        ...n,
        id: m,
        open: true,
        thing: { ...n.thing, id: m, name: nameOf(m), count: 1, members: [m] },
      })),
    );
  }
  const of = (id: string) => parts.get(id)?.map((p) => p.id) ?? [id];
  return {
    ...d,
    nodes: d.nodes.flatMap((n) => parts.get(n.id) ?? [n]),
    edges: d.edges.flatMap((e) =>
      of(e.from).flatMap((from) =>
        of(e.to).map((to) => (from === e.from && to === e.to ? e : { ...e, id: `${from}|${e.id}|${to}`, from, to })),
      ),
    ),
  };
}

/** The coarsest classes in which members of one relate to members of the others alike. */
function siblings(d: Drawing): Map<string, number> {
  const first = (n: DrawnNode) => (d.keep.has(n.id) || n.open ? n.id : `${n.thing.kind} in ${n.frame ?? ""}`);
  let classes = numbered(d.nodes.map((n) => [n.id, first(n)]));
  for (let before = 0; before < new Set(classes.values()).size;) {
    before = new Set(classes.values()).size;
    const relations = new Map<string, Set<string>>();
    const add = (id: string, text: string) => (relations.get(id) ?? relations.set(id, new Set()).get(id))?.add(text);
    for (const e of d.edges) {
      add(e.from, `${e.label}>${classes.get(e.to)}`);
      add(e.to, `${e.label}<${classes.get(e.from)}`);
    }
    classes = numbered(
      d.nodes.map((n) => [n.id, `${classes.get(n.id)} ${[...(relations.get(n.id) ?? [])].sort().join(" ")}`]),
    );
  }
  return classes;
}

function numbered(keys: [string, string][]): Map<string, number> {
  const numbers = new Map<string, number>();
  return new Map(
    keys.map(([id, key]) => {
      if (!numbers.has(key)) numbers.set(key, numbers.size);
      return [id, numbers.get(key) ?? 0];
    }),
  );
}

function merged(edges: DrawnEdge[], stands: ReadonlyMap<string, string>): DrawnEdge[] {
  const found = new Map<string, DrawnEdge>();
  for (const e of edges) {
    const from = stands.get(e.from) ?? e.from,
      to = stands.get(e.to) ?? e.to;
    const id = from === e.from && to === e.to ? e.id : `${from}|${e.label}|${to}`;
    const same = found.get(id);
    if (same) found.set(id, { ...same, steps: [...same.steps, ...e.steps], uncertain: same.uncertain || e.uncertain });
    else found.set(id, { ...e, id, from, to });
  }
  return [...found.values()];
}

/** Nodes in the order in which the path told them, so that folding moves as little as possible. */
function inOrder(nodes: DrawnNode[], told: DrawnNode[], stands: ReadonlyMap<string, string>): DrawnNode[] {
  const place = new Map<string, number>();
  told.forEach((n, i) => {
    const id = stands.get(n.id) ?? n.id;
    if (!place.has(id)) place.set(id, i);
  });
  return [...nodes].sort((a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0));
}

/** Nodes and edges from the entry on, one after the other, as the arrow keys walk them. */
export function walk(d: Drawing): string[] {
  const order: string[] = [],
    seen = new Set<string>();
  const visit = (id: string) => {
    if (!seen.has(id)) {
      seen.add(id);
      order.push(id);
    }
  };
  for (const e of d.edges) {
    visit(e.from);
    visit(e.id);
    visit(e.to);
  }
  for (const n of d.nodes) visit(n.id);
  return order;
}
