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
