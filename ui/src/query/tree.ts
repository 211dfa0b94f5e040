import type { Schemas } from "../api/client";

export type Query = Schemas["Query"];
export type Node = Schemas["QueryNode"];
export type Expr = Schemas["QueryExpr"];
export type Rel = Schemas["QueryRel"];

/** Where a node is: the place in `with` at each level; [] is what is looked for. */
export type Place = readonly number[];

export function nodeAt(query: Query, place: Place): Node | undefined {
  let node: Node | undefined = query.find;
  for (const i of place) node = node?.with?.[i]?.to;
  return node;
}

/** A changed copy; the query given stays as it is. */
function changed(query: Query, place: Place, change: (node: Node) => void): Query {
  const copy = structuredClone(query);
  const node = nodeAt(copy, place);
  if (node) change(node);
  return copy;
}

/** Variables of a query, those of sub-patterns included. */
function variables(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== "object" || value === null) return found;
  for (const [k, v] of Object.entries(value)) {
    if (k === "as" && typeof v === "string") found.add(v);
    variables(v, found);
  }
  return found;
}

function fresh(query: Query | undefined, kind: string): string {
  const taken = variables(query?.find);
  const base = kind.charAt(0).toLowerCase() || "n";
  if (!taken.has(base)) return base;
  for (let i = 2; ; i++) if (!taken.has(`${base}${i}`)) return `${base}${i}`;
}

export function start(kind: string): Query {
  return { find: { as: fresh(undefined, kind), kinds: [kind] }, distinct: true }; // two packages with one vulnerability are one row
}

/** Adds a connection; gives the place of the new node as well. */
export function connect(query: Query, place: Place, edge: string, dir: "out" | "in", kind: string): { query: Query; place: Place } {
  const as = fresh(query, kind);
  const next = changed(query, place, (n) => { n.with = [...(n.with ?? []), { edge: [edge], dir, to: { as, kinds: [kind] } }]; });
  delete next.return; delete next.order;
  return { query: next, place: [...place, (nodeAt(next, place)?.with?.length ?? 1) - 1] };
}

/** The lines of a condition: the parts of an AND, or the condition itself. */
export function lines(where: Expr | undefined): Expr[] {
  return where === undefined ? [] : where.and ?? [where];
}

function joined(parts: Expr[]): Expr | undefined {
  return parts.length > 1 ? { and: parts } : parts[0];
}

function setLines(node: Node, parts: Expr[]) {
  const where = joined(parts);
  if (where) node.where = where; else delete node.where;
}

export function addLine(query: Query, place: Place, line: Expr): Query {
  return changed(query, place, (n) => setLines(n, [...lines(n.where), line]));
}

/** Replaces a line, or takes it away when there is nothing in its place. */
export function setLine(query: Query, place: Place, at: number, line: Expr | undefined): Query {
  return changed(query, place, (n) => setLines(n, lines(n.where).flatMap((l, i) => (i !== at ? [l] : line ? [line] : []))));
}

/** Takes a connection away, with what it returned. */
export function disconnect(query: Query, place: Place): Query {
  const at = place[place.length - 1];
  const next = changed(query, place.slice(0, -1), (n) => {
    n.with = n.with?.filter((_, i) => i !== at);
    if (n.with?.length === 0) delete n.with;
  });
  delete next.return; delete next.order;
  return next;
}
