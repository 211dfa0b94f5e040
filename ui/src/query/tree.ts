import type { Schemas } from "../api/client";

export type Query = Schemas["Query"];
export type Node = Schemas["QueryNode"];
export type Expr = Schemas["QueryExpr"];
export type Rel = Schemas["QueryRel"];
export type Item = Schemas["QueryItem"];

/**
 * Where a node is, from what is looked for, which is []: a number is a place in
 * `with`, a text the way into a condition, such as where/and/1/not/exists/to.
 */
export type Place = readonly (number | string)[];

export function nodeAt(query: Query, place: Place): Node | undefined {
  let node: Node | undefined = query.find;
  for (const step of place)
    node = typeof step === "number" ? node?.with?.[step]?.to : (walk(node, step) as Node | undefined);
  return node;
}

function walk(from: unknown, way: string): unknown {
  let at = from;
  for (const key of way.split("/")) at = (at as Record<string, unknown> | undefined)?.[key];
  return at;
}

/** The way from a node to one of its lines. */
export function lineAt(node: Node, i: number): string {
  return node.where?.and ? `where/and/${i}` : "where";
}

/** Whether a node is inside a condition: it can be asked about there, and is not shown. */
export const isInside = (place: Place) => place.some((step) => typeof step === "string");

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

/** Adds a connection; gives the place of the new node as well. Inside a condition it is one more condition. */
export function connect(
  query: Query,
  place: Place,
  edge: string,
  dir: "out" | "in",
  kind: string,
): { query: Query; place: Place } {
  const as = fresh(query, kind);
  if (isInside(place)) {
    const next = addLine(query, place, { exists: { edge: [edge], dir, to: { as, kinds: [kind] } } });
    const node = nodeAt(next, place);
    return { query: next, place: [...place, `${lineAt(node ?? {}, lines(node?.where).length - 1)}/exists/to`] };
  }
  const next = settled(
    changed(query, place, (n) => {
      n.with = [...(n.with ?? []), { edge: [edge], dir, to: { as, kinds: [kind] } }];
    }),
    query,
  );
  return { query: next, place: [...place, (nodeAt(next, place)?.with?.length ?? 1) - 1] };
}

/** So many steps an attacker's way is asked for, unless another number is said. */
const far = 12;

/** Asks for what is reached over any of these edges, in several steps: a condition, as a way has no one row. */
export function reach(query: Query, place: Place, edge: string[], dir: "out" | "in", kind: string): Query {
  return addLine(query, place, { exists: { edge, dir, upTo: far, to: { as: fresh(query, kind), kinds: [kind] } } });
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

/** A connection that is asked for and not shown, with all that is asked of its end. */
function asked(rel: Rel): Rel {
  const { optional: _, ...rest } = structuredClone(rel);
  const { with: deeper, ...to } = rest.to;
  const where = joined([...lines(to.where), ...(deeper ?? []).map((r) => ({ exists: asked(r) }))]);
  return { ...rest, to: where ? { ...to, where } : to };
}

/** Makes a connection a condition: some, none or so many of it. */
export function toCondition(query: Query, place: Place, make: (rel: Rel) => Expr): Query {
  const at = place[place.length - 1],
    near = place.slice(0, -1);
  const rel = typeof at === "number" ? nodeAt(query, near)?.with?.[at] : undefined;
  return rel ? addLine(disconnect(query, place), near, make(asked(rel))) : query;
}

/** Makes a condition on a connection a connection that is shown. */
export function toConnection(query: Query, place: Place, line: number, rel: Rel): Query {
  const { upTo: _, ...shown } = rel;
  return settled(
    changed(setLine(query, place, line, undefined), place, (n) => {
      n.with = [...(n.with ?? []), shown];
    }),
    query,
  );
}

/** Takes a connection away, with its columns. */
export function disconnect(query: Query, place: Place): Query {
  const at = place.at(-1);
  const next = changed(query, place.slice(0, -1), (n) => {
    n.with = n.with?.filter((_, i) => i !== at);
    if (n.with?.length === 0) delete n.with;
  });
  return settled(next, query);
}

/** Makes a connection one that is shown if it is there, or one that must be there. */
export function setOptional(query: Query, place: Place, optional: boolean): Query {
  const at = Number(place.at(-1) ?? 0);
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
  const as = nodeAt(next, place)?.as;
  return settled(next, query, (i) => i.of !== as || !i.prop || names.has(i.prop));
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

/** The variables whose things can be shown: what is looked for and what it is connected to, not what conditions ask about. */
export function shownNodes(node: Node): Node[] {
  return [node, ...(node.with ?? []).flatMap((r) => shownNodes(r.to))];
}

/** What the answer shows, said or not: without `return`, every variable. */
export function columns(query: Query): Item[] {
  return query.return?.length ? query.return : shownNodes(query.find).flatMap((n) => (n.as ? [{ of: n.as }] : []));
}

/**
 * A changed question with the columns that were chosen before, as far as what they show is still there, and with
 * what is new in it; and in the order it had, if that is of something still shown.
 */
function settled(query: Query, before: Query, has: (column: Item) => boolean = () => true): Query {
  const shown = new Set(shownNodes(query.find).map((n) => n.as));
  const was = new Set(shownNodes(before.find).map((n) => n.as));
  const kept = before.return?.filter((i) => shown.has(i.of) && has(i)) ?? [];
  const added = [...shown].flatMap((of) => (of && !was.has(of) ? [{ of }] : []));
  const { return: _, order, ...rest } = query;
  const ordered = order?.every((k) => (k.of ? shown.has(k.of) && has(k) : kept.length === before.return?.length));
  return { ...rest, ...(kept.length && { return: [...kept, ...added] }), ...(order && ordered && { order }) };
}

export function setColumns(query: Query, items: Item[]): Query {
  const copy = { ...structuredClone(query), return: items };
  delete copy.order; // it may speak of a column that is gone
  return copy;
}

/** Each line of a question: the question as far as that line, and the question without it. */
export function partsOf(query: Query): { node: Node; line?: Expr; rel?: Rel; upTo: Query; without: Query }[] {
  const out: ReturnType<typeof partsOf> = [];
  const bare = (find: Node): Query => ({ find, distinct: true });
  const visit = (node: Node, build: (n: Node) => Node, without: (n: Node) => Query) => {
    const all = lines(node.where);
    const so = (n: number, rels: number): Node => {
      const { where: _, with: __, ...rest } = node;
      const where = joined(all.slice(0, n));
      return { ...rest, ...(where && { where }), ...(rels && { with: node.with?.slice(0, rels) }) };
    };
    all.forEach((line, i) => {
      const other = joined(all.filter((_, j) => j !== i));
      const { where: _, ...rest } = node;
      out.push({
        node,
        line,
        upTo: bare(build(so(i + 1, 0))),
        without: without({ ...rest, ...(other && { where: other }) }),
      });
    });
    (node.with ?? []).forEach((rel, i) => {
      const others = node.with?.filter((_, j) => j !== i) ?? [];
      const { with: _, ...rest } = node;
      const before = so(all.length, i);
      const put = (to: Node): Node => build({ ...before, with: [...(before.with ?? []), { ...rel, to }] });
      const { where: __, with: ___, ...end } = rel.to;
      out.push({
        node,
        rel,
        upTo: bare(put(end)),
        without: without({ ...rest, ...(others.length && { with: others }) }),
      });
      visit(rel.to, put, (to) => without({ ...node, with: node.with?.map((r, j) => (j === i ? { ...r, to } : r)) }));
    });
  };
  visit(query.find, (n) => n, bare);
  return out;
}
