import type { Schemas } from "../../api/client";
import type { Expr, Rel } from "../../query/tree";
import { steps } from "./choices";
import { propertyOf } from "./Editor";

type Schema = Schemas["Schema"];
type Kind = Schemas["KindInfo"] | undefined;

/** What a connection is called from its near end: "runs", "is reached through". */
export function verbOf(schema: Schema, kind: Kind, rel: Rel): string {
  if (rel.edge.length > 1 && steps(schema).every((e) => rel.edge.includes(e)))
    return rel.dir === "out" ? "can reach" : "can be reached from";
  const words = rel.edge.map((e) => {
    const choice = kind?.menu.connections.find((c) => c.edge === e && c.dir === rel.dir);
    const edge = schema.edges[e];
    return choice?.label ?? (rel.dir === "out" ? edge?.verb : edge?.inverse) ?? e;
  });
  return words.join(" or ");
}

/** The kinds at a connection's far end. */
export function endOf(schema: Schema, rel: Rel): string {
  return rel.to.kinds?.map((k) => schema.kinds[k]?.plural ?? k).join(" or ") ?? "anything";
}

/** The kind of a node that can be only one. */
export const kindOf = (schema: Schema, kinds: readonly string[] | undefined): Kind =>
  kinds?.length === 1 ? schema.kinds[kinds[0] ?? ""] : undefined;

/** A condition as a sentence. */
export function say(schema: Schema, kind: Kind, line: Expr): string {
  if (line.or) return line.or.map((l) => say(schema, kind, l)).join(" or ");
  if (line.and) return line.and.map((l) => say(schema, kind, l)).join(" and ");
  if (line.not) return `not ${say(schema, kind, line.not)}`;
  const rel = line.exists ?? line.count;
  if (rel) {
    const far = kindOf(schema, rel.to.kinds);
    const end = `${verbOf(schema, kind, rel)} ${endOf(schema, rel)}`;
    const counted = line.count ? `: count ${schema.ops[line.op ?? ""] ?? line.op ?? ""} ${String(line.value)}` : "";
    const where = rel.to.where ? ` where ${say(schema, far, rel.to.where)}` : "";
    return end + where + counted;
  }
  const prop = propertyOf(kind, line.prop);
  return [
    line.of && !prop ? `${line.of}.` : "",
    prop?.label ?? line.prop,
    line.op ? ` ${schema.ops[line.op] ?? line.op}` : "",
    line.value === undefined ? "" : ` ${Array.isArray(line.value) ? line.value.join(", ") : String(line.value)}`,
  ].join("");
}
