import type { ElkExtendedEdge, ElkNode } from "elkjs/lib/elk-api";
import type { Drawing } from "./model";

export const nodeSize = { width: 168, height: 76 };

/** The drawing as the layout engine wants it: left to right, frames as parents. */
export function elkGraph(d: Drawing): ElkNode {
  const children = (frame: string | undefined): ElkNode[] => [
    ...d.frames.filter((f) => f.parent === frame).map((f) => ({ id: f.id, children: children(f.id), layoutOptions: { "elk.padding": "[top=32,left=16,bottom=16,right=16]" } })),
    ...d.nodes.filter((n) => n.frame === frame).map((n) => ({ id: n.id, ...nodeSize })),
  ];
  const edges: ElkExtendedEdge[] = d.edges.map((e) => ({ id: e.id, sources: [e.from], targets: [e.to], labels: [{ text: e.label, width: e.label.length * 7, height: 16 }] }));
  return {
    id: "path", children: children(undefined), edges,
    layoutOptions: {
      "elk.algorithm": "layered", "elk.direction": "RIGHT", "elk.hierarchyHandling": "INCLUDE_CHILDREN",
      "elk.layered.spacing.nodeNodeBetweenLayers": "40", "elk.spacing.nodeNode": "24", "elk.spacing.edgeLabel": "4",
      "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
    },
  };
}

export interface Box { x: number; y: number; width: number; height: number }

/** Every node's place relative to its frame. */
export function boxes(graph: ElkNode, found = new Map<string, Box>()): Map<string, Box> {
  for (const c of graph.children ?? []) {
    found.set(c.id, { x: c.x ?? 0, y: c.y ?? 0, width: c.width ?? 0, height: c.height ?? 0 });
    boxes(c, found);
  }
  return found;
}
