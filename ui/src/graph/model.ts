import type { Schemas } from "../api/client";
import { kindLabel, propertyOf } from "../components/Vocabulary";

type Path = Schemas["Path"];
export type Thing = Schemas["Thing"];
type Step = Schemas["PathStep"];

/** A note on a node: what is known of the thing, with the sentence behind it. */
export interface Note {
  text: string;
  why: string;
  warns: boolean;
}

export interface DrawnNode {
  id: string;
  thing: Thing;
  frame?: string;
  kind: string;
  notes: Note[];
  /** Folded things and what they are unfolded from share the name by which they are opened. */
  fold?: string;
  open?: boolean;
  /** What is folded into it though it is of other kinds, and the ids of those things and of the steps between them. */
  between?: DrawnNode[];
  hides?: ReadonlySet<string>;
}
export interface DrawnFrame {
  id: string;
  title: string;
  parent?: string;
}
export interface DrawnEdge {
  id: string;
  from: string;
  to: string;
  label: string;
  derived: boolean;
  uncertain: boolean;
  steps: Step[];
  number?: number;
}
export interface Drawing {
  nodes: DrawnNode[];
  frames: DrawnFrame[];
  edges: DrawnEdge[];
  entry: string;
  target: string;
  /** Never folded: entry, foothold and target. */
  keep: ReadonlySet<string>;
}

/** What is drawn of a path: things, the frames they stand in, and one edge per pair and kind. */
export function drawing(path: Path, schema?: Schemas["Schema"]): Drawing {
  const depth = new Map(path.frames.map((f) => [f.id, f.parent ? 1 : 0]));
  const frames = path.frames.map((f) => ({
    id: f.id,
    title: `${f.kind.toLowerCase()} ${f.name}`,
    parent: f.parent || undefined,
  }));
  const home = new Map<string, string>();
  for (const f of [...path.frames].sort((a, b) => (depth.get(a.id) ?? 0) - (depth.get(b.id) ?? 0)))
    for (const n of f.nodes) home.set(n, f.id);
  const nodes = path.nodes.map((thing): DrawnNode => ({
    id: thing.id,
    thing,
    frame: home.get(thing.id),
    kind: kindLabel(schema, thing.kind),
    notes: [...passed(path, thing.id), ...notes(thing, schema)],
    ...(thing.count > 1 && (thing.members?.length ?? 0) > 1 ? { fold: thing.id, open: false } : {}),
  }));
  return {
    nodes,
    frames: framesOf(nodes, frames),
    edges: edges(path, new Set(nodes.map((n) => n.id))),
    entry: path.entry.id,
    target: path.target.id,
    keep: new Set([path.entry.id, path.foothold.id, path.target.id]),
  };
}

export const stepId = (s: Step) => `${s.from}|${s.edge}|${s.to}`;

function edges(path: Path, known: ReadonlySet<string>): DrawnEdge[] {
  const found = new Map<string, DrawnEdge>();
  [...path.steps, ...path.also].forEach((step, i) => {
    if (!known.has(step.from) || !known.has(step.to)) return;
    const id = stepId(step);
    if (found.has(id)) return;
    found.set(id, {
      id,
      from: step.from,
      to: step.to,
      label: step.verb,
      derived: step.derived,
      uncertain: Boolean(step.uncertain),
      steps: [step],
      number: i < path.steps.length ? i + 1 : undefined,
    });
  });
  return [...found.values()];
}

/** What traffic passes on its way into a thing: host names, addresses with ports, and who serves it. */
function passed(path: Path, id: string): Note[] {
  const ways = [...path.steps, ...path.also].flatMap((s) => (s.to === id && s.through ? [s.through] : []));
  const all = (of: keyof Schemas["Through"]) => [...new Set(ways.flatMap((t) => t[of] ?? []))];
  const few = (list: string[]) => (list.length > 2 ? `${list[0]} +${list.length - 1}` : list.join(", "));
  const note = (lead: string, ...parts: string[][]): Note[] => {
    const text = parts
      .filter((p) => p.length)
      .map(few)
      .join(" · ");
    return text ? [{ text: lead + text, why: `${parts.flat().join(", ")}.`, warns: false }] : [];
  };
  return [...note("", all("hosts")), ...note("", all("addresses"), all("ports")), ...note("by ", all("controllers"))];
}

/** The image's vulnerabilities first, then the insights in the schema's words. */
function notes(thing: Thing, schema?: Schemas["Schema"]): Note[] {
  const images = thing.images ?? [];
  const sum = (of: (i: Schemas["PathImage"]) => number) => images.reduce((n, i) => n + of(i), 0);
  const found = [
    sum((i) => i.criticals) && `${sum((i) => i.criticals)} critical`,
    sum((i) => i.highs) && `${sum((i) => i.highs)} high`,
  ]
    .filter(Boolean)
    .join(", ");
  const image =
    images.length === 0
      ? []
      : images.some((i) => !i.scanned)
        ? [{ text: "image not scanned", why: "What is in the image is unknown.", warns: true }]
        : [
            {
              text: found || "no high severity",
              why: `In ${images.map((i) => i.name).join(", ")}.`,
              warns: found !== "",
            },
          ];
  return [
    ...image,
    ...(thing.insights ?? []).map((name) => {
      const p = propertyOf(schema, thing.kind, name);
      return { text: p?.label ?? name, why: p?.sentence ?? "", warns: false };
    }),
  ];
}

/** The frames in which something stands. */
export const framesOf = (nodes: DrawnNode[], frames: DrawnFrame[]) => frames.filter((f) => used(f.id, nodes, frames));

function used(id: string, nodes: DrawnNode[], frames: DrawnFrame[]): boolean {
  return nodes.some((n) => n.frame === id) || frames.some((f) => f.parent === id && used(f.id, nodes, frames));
}
