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
export function connect(
  query: Query,
  place: Place,
  edge: string,
  dir: "out" | "in",
  kind: string,
): { query: Query; place: Place } {
  const as = fresh(query, kind);
  const next = changed(query, place, (n) => {
    n.with = [...(n.with ?? []), { edge: [edge], dir, to: { as, kinds: [kind] } }];
  });
  delete next.return;
  delete next.order;
  return { query: next, place: [...place, (nodeAt(next, place)?.with?.length ?? 1) - 1] };
}

/** The lines of a condition: the parts of an AND, or the condition itself. */
export function lines(where: Expr | undefined): Expr[] {
  return where === undefined ? [] : (where.and ?? [where]);
}

function joined(parts: Expr[]): Expr | undefined {
  return parts.length > 1 ? { and: parts } : parts[0];
}

function setLines(node: Node, parts: Expr[]) {
  const where = joined(parts);
  if (where) node.where = where;
  else delete node.where;
}

export function addLine(query: Query, place: Place, line: Expr): Query {
  return changed(query, place, (n) => setLines(n, [...lines(n.where), line]));
}

/** Replaces a line, or takes it away when there is nothing in its place. */
export function setLine(query: Query, place: Place, at: number, line: Expr | undefined): Query {
  return changed(query, place, (n) =>
    setLines(
      n,
      lines(n.where).flatMap((l, i) => (i !== at ? [l] : line ? [line] : [])),
    ),
  );
}

/** Takes a connection away, with what it returned. */
export function disconnect(query: Query, place: Place): Query {
  const at = place[place.length - 1];
  const next = changed(query, place.slice(0, -1), (n) => {
    n.with = n.with?.filter((_, i) => i !== at);
    if (n.with?.length === 0) delete n.with;
  });
  delete next.return;
  delete next.order;
  return next;
}

/** Makes a connection one that is shown if it is there, or one that must be there. */
export function setOptional(query: Query, place: Place, optional: boolean): Query {
  const at = place[place.length - 1] ?? 0;
  return changed(query, place.slice(0, -1), (n) => {
    const rel = n.with?.[at];
    if (!rel) return;
    if (optional) rel.optional = true;
    else delete rel.optional;
  });
}

/** Looks for another kind, with those conditions and connections that it has as well. */
export function setKind(query: Query, place: Place, kind: string, menu: Schemas["Menu"]): Query {
  const names = new Set([...menu.insights, ...menu.properties].map((p) => p.name));
  const next = changed(query, place, (n) => {
    n.kinds = [kind];
    setLines(
      n,
      lines(n.where).filter((l) => properties(l).every((p) => names.has(p))),
    );
    n.with = n.with?.filter((r) =>
      menu.connections.some(
        (c) => c.dir === r.dir && r.edge.includes(c.edge) && c.to.some((t) => r.to.kinds?.includes(t.name)),
      ),
    );
    if (!n.with?.length) delete n.with;
  });
  delete next.return;
  delete next.order;
  return next;
}

/** The properties of the node itself that a condition asks for. */
function properties(line: Expr): string[] {
  if (line.not) return properties(line.not);
  return (line.and ?? line.or)?.flatMap(properties) ?? (line.prop && !line.of ? [line.prop] : []);
}

/** The order that the server makes; one column. */
export function setOrder(query: Query, key: Schemas["QueryKey"] | undefined): Query {
  const copy = structuredClone(query);
  if (key) copy.order = [key];
  else delete copy.order;
  return copy;
}
