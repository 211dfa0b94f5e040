import type { Schemas } from "../api/client";

type Path = Schemas["Path"];

export interface DrawnNode { id: string; thing: Schemas["Thing"]; frame?: string }
export interface DrawnFrame { id: string; title: string; parent?: string }
export interface DrawnEdge { id: string; from: string; to: string; label: string; derived: boolean; uncertain: boolean; step: Schemas["PathStep"] }
export interface Drawing { nodes: DrawnNode[]; frames: DrawnFrame[]; edges: DrawnEdge[] }

/** What is drawn of a path: things, the frames they stand in, and one edge per pair and kind. */
export function drawing(path: Path): Drawing {
  const depth = new Map(path.frames.map((f) => [f.id, f.parent ? 1 : 0]));
  const frames = path.frames.map((f) => ({ id: f.id, title: `${f.kind.toLowerCase()} ${f.name}`, parent: f.parent || undefined }));
  const nodes = path.nodes.map((thing) => {
    const around = path.frames.filter((f) => f.nodes.includes(thing.id)).sort((a, b) => (depth.get(b.id) ?? 0) - (depth.get(a.id) ?? 0));
    return { id: thing.id, thing, frame: around[0]?.id };
  });
  const known = new Set(nodes.map((n) => n.id));
  const edges = new Map<string, DrawnEdge>();
  for (const step of [...path.steps, ...path.also]) {
    if (!known.has(step.from) || !known.has(step.to)) continue;
    const id = `${step.from}|${step.edge}|${step.to}`;
    if (!edges.has(id)) edges.set(id, { id, from: step.from, to: step.to, label: step.verb, derived: step.derived, uncertain: Boolean(step.uncertain), step });
  }
  return { nodes, frames: frames.filter((f) => used(f.id, nodes, frames)), edges: [...edges.values()] };
}

function used(id: string, nodes: DrawnNode[], frames: DrawnFrame[]): boolean {
  return nodes.some((n) => n.frame === id) || frames.some((f) => f.parent === id && used(f.id, nodes, frames));
}
