import type { Schemas } from "../../api/client";
import type { Expr } from "../../query/tree";
import type { Choice } from "./Pick";

type Menu = Schemas["Menu"];
type Property = Schemas["PropertyChoice"];

/** What can be asked of a kind itself. Picking a property begins a condition; an insight is one already. */
export function conditions(menu: Menu, pick: (line: Expr, complete: boolean) => void): Choice[] {
  const choice =
    (group: string) =>
    (p: Property): Choice => ({
      key: `${group} ${p.name}`,
      group,
      label: p.label,
      sentence: p.sentence,
      pick: () => (group === "Insights" ? pick({ prop: p.name }, true) : pick(initial(p), p.type === "bool")),
    });
  return [...menu.insights.map(choice("Insights")), ...menu.properties.map(choice("Properties"))];
}

/** What a kind can be joined to. */
export function connections(menu: Menu, pick: (edge: string, dir: "out" | "in", to: string) => void): Choice[] {
  return menu.connections.flatMap((c) =>
    c.to.map((to): Choice => ({
      key: `${c.edge} ${c.dir} ${to.name}`,
      group: "Connections",
      sentence: c.sentence,
      label: c.composed ? c.label : `${c.label} ${to.plural}`,
      pick: () => pick(c.edge, c.dir, to.name),
    })),
  );
}

/** The edges that an attack path may walk. */
export const steps = (schema: Schemas["Schema"]) =>
  Object.values(schema.edges)
    .filter((e) => e.step)
    .map((e) => e.name);

/** What an attacker may come to from a kind, and from where to it, in however many steps. */
export function reaching(
  schema: Schemas["Schema"],
  menu: Menu,
  pick: (edges: string[], dir: "out" | "in", to: string) => void,
): Choice[] {
  const edges = steps(schema);
  const gained = (m: Menu, dir: "out" | "in") =>
    m.connections.some((c) => c.dir === dir && schema.edges[c.edge]?.derived);
  const families = new Set(Object.values(schema.kinds).map((k) => k.family));
  const ways = [
    { dir: "out", says: "can reach", sentence: "An attacker who has it can get to one of them, step by step." },
    {
      dir: "in",
      says: "can be reached from",
      sentence: "An attacker who has one of them can get to it, step by step.",
    },
  ] as const;
  return ways.flatMap(({ dir, says, sentence }) =>
    gained(menu, dir) || (dir === "out" && menu.connections.some((c) => c.dir === dir && edges.includes(c.edge)))
      ? Object.values(schema.kinds)
          .filter((k) => !families.has(k.name) && gained(k.menu, dir === "out" ? "in" : "out"))
          .map((k): Choice => ({
            key: `${says} ${k.name}`,
            group: "Reach",
            label: `${says} ${k.plural}`,
            sentence,
            pick: () => pick(edges, dir, k.name),
          }))
      : [],
  );
}

/** What can be asked of the kinds that a kind can be joined to: found by typing, as people ask "images with CVE …". */
export function beyond(
  schema: Schemas["Schema"],
  menu: Menu,
  pick: (edge: string, dir: "out" | "in", to: string, line: Expr, complete: boolean) => void,
): Choice[] {
  return menu.connections.flatMap((c) =>
    c.to.flatMap((to) => {
      const far = schema.kinds[to.name];
      return far
        ? conditions(far.menu, (line, complete) => pick(c.edge, c.dir, to.name, line, complete)).map((choice) => ({
            ...choice,
            key: `${c.edge} ${c.dir} ${to.name} ${choice.key}`,
            group: "Of what it is joined to",
            label: `${to.label} · ${choice.label}`,
            sentence: `${c.composed ? c.label : `${c.label} ${to.plural}`}: ${choice.sentence ?? ""}`,
          }))
        : [];
    }),
  );
}

/** Every kind, in the schema's groups. */
export function kinds(schema: Schemas["Schema"], pick: (kind: string) => void): Choice[] {
  return schema.groups.flatMap((g) =>
    g.kinds.map((k): Choice => ({
      key: k.name,
      group: g.name,
      label: k.plural,
      sentence: k.sentence,
      pick: () => pick(k.name),
    })),
  );
}

/** The kinds at the other end of a connection. */
export function ends(menu: Menu, rel: Schemas["QueryRel"], pick: (kind: string) => void): Choice[] {
  const to = menu.connections.filter((c) => c.dir === rel.dir && rel.edge.includes(c.edge)).flatMap((c) => c.to);
  return [...new Map(to.map((k) => [k.name, k])).values()].map((k): Choice => ({
    key: k.name,
    group: "",
    label: k.plural,
    sentence: k.sentence,
    pick: () => pick(k.name),
  }));
}

/** A new condition begins with the way of asking that people mean most often. */
function initial(p: Property): Expr {
  if (p.type === "bool") return { prop: p.name };
  const op = ["CONTAINS", ">=", "="].find((o) => p.ops.includes(o)) ?? p.ops[0];
  return op ? { prop: p.name, op } : { prop: p.name };
}
