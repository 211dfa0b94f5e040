import type { ElkExtendedEdge, ElkNode } from "elkjs/lib/elk-api";
import type { Drawing, DrawnNode } from "./model";

export type Direction = "RIGHT" | "DOWN";

/** So many notes are drawn on a node; the others are told when it is chosen. */
export const notesShown = 3;

export function nodeSize(n: DrawnNode, direction: Direction): { width: number; height: number } {
  return {
    width: direction === "RIGHT" ? 162 : 264,
    height: 50 + Math.min(n.notes.length, notesShown) * 16 + (n.notes.length ? 4 : 0),
  };
}

const label = { RIGHT: { width: 84, height: 44 }, DOWN: { width: 150, height: 22 } };

/** The first route goes straight, the others around it. */
const straight = { "elk.layered.priority.straightness": "10", "elk.layered.priority.direction": "10" };

/** The drawing as the layout engine wants it: entry first, frames as parents. */
export function elkGraph(d: Drawing, direction: Direction = "RIGHT"): ElkNode {
  const spacing = {
    "elk.layered.spacing.nodeNodeBetweenLayers": direction === "RIGHT" ? "8" : "14",
    "elk.layered.spacing.edgeNodeBetweenLayers": "6",
    "elk.spacing.nodeNode": "16",
    "elk.spacing.edgeLabel": "2",
  };
  const padding = direction === "RIGHT" ? "[top=32,left=12,bottom=12,right=12]" : "[top=30,left=8,bottom=8,right=8]";
  const children = (frame: string | undefined): ElkNode[] => [
    ...d.frames
      .filter((f) => f.parent === frame)
      .map((f) => ({
        id: `frame ${f.id}`,
        children: children(f.id),
        layoutOptions: { "elk.padding": padding, ...spacing },
      })),
    ...d.nodes.filter((n) => n.frame === frame).map((n) => ({ id: n.id, ...nodeSize(n, direction) })),
  ];
  const edges: ElkExtendedEdge[] = d.edges.map((e) => ({
    id: e.id,
    sources: [e.from],
    targets: [e.to],
    labels: [{ text: e.label, ...label[direction] }],
    ...(e.number && { layoutOptions: straight }),
  }));
  return {
    id: "path",
    children: children(undefined),
    edges,
    layoutOptions: {
      "elk.algorithm": "layered",
      "elk.direction": direction,
      "elk.hierarchyHandling": "INCLUDE_CHILDREN",
      "elk.padding": "[top=4,left=4,bottom=4,right=4]",
      ...spacing,
      "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
    },
  };
}

/** About how much room a chain takes, known before the layout is, so that what stands below does not move. */
export function estimate(d: Drawing, direction: Direction): { width: number; height: number } {
  const sizes = d.nodes.map((n) => nodeSize(n, direction));
  if (direction === "RIGHT")
    return {
      width: sizes.reduce((w, s) => w + s.width + 100, d.frames.length * 24 - 80),
      height: Math.max(...sizes.map((s) => s.height), 0) + d.frames.length * 44 + 8,
    };
  return { width: 330, height: sizes.reduce((h, s) => h + s.height + 52, d.frames.length * 38 - 40) };
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface Places {
  boxes: ReadonlyMap<string, Box>;
  width: number;
  height: number;
}

/** Every node's place relative to its frame. */
export function boxes(graph: ElkNode, found = new Map<string, Box>()): Map<string, Box> {
  for (const c of graph.children ?? []) {
    found.set(c.id, { x: c.x ?? 0, y: c.y ?? 0, width: c.width ?? 0, height: c.height ?? 0 });
    boxes(c, found);
  }
  return found;
}

/** Where everything stands on the whole canvas. */
export function absolute(d: Drawing, places: Places): Map<string, Box> {
  const parent = new Map(d.frames.map((f) => [f.id, f.parent]));
  return new Map(
    d.nodes.flatMap((n) => {
      const b = places.boxes.get(n.id);
      if (!b) return [];
      let { x, y } = b;
      for (let f = n.frame; f; f = parent.get(f)) {
        const frame = places.boxes.get(`frame ${f}`);
        x += frame?.x ?? 0;
        y += frame?.y ?? 0;
      }
      return [[n.id, { ...b, x, y }]];
    }),
  );
}

/** Text of 12 px is never drawn smaller than 11 px. */
export const least = 11 / 12;

/** Whether a drawing that goes down has room beside its story. */
export const column = (size: { width: number; height: number }, room: number) =>
  size.width <= Math.max(344, room / 2) && size.height <= 2600;

export interface View {
  x: number;
  y: number;
  zoom: number;
  fits: boolean;
}

/** How the canvas looks at a drawing: whole if that can be read, else from its entry or at what is chosen. */
export function view(
  places: { width: number; height: number },
  canvas: { width: number; height: number },
  chosen?: Box,
): View {
  const zoom = Math.min(1, canvas.width / places.width, canvas.height / places.height);
  if (zoom >= least)
    return {
      x: (canvas.width - places.width * zoom) / 2,
      y: (canvas.height - places.height * zoom) / 2,
      zoom,
      fits: true,
    };
  const at = (size: number, room: number, middle: number) =>
    size * least <= room
      ? (room - size * least) / 2
      : Math.min(0, Math.max(room - size * least, room / 2 - middle * least));
  return {
    x: at(places.width, canvas.width, chosen ? chosen.x + chosen.width / 2 : 0),
    y: at(places.height, canvas.height, chosen ? chosen.y + chosen.height / 2 : places.height / 2),
    zoom: least,
    fits: false,
  };
}
