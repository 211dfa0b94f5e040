import "@xyflow/react/dist/base.css";
import { Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps } from "@xyflow/react";
import { useMemo } from "react";
import { Loading } from "../components/States";
import { short } from "../lib/format";
import { Icon } from "./Icon";
import type { Drawing, DrawnNode } from "./model";
import { useLayout } from "./useLayout";

type ThingNode = Node<{ drawn: DrawnNode; fixed: boolean }, "thing">;
type FrameNode = Node<{ title: string }, "frame">;

function ThingBox({ data }: NodeProps<ThingNode>) {
  const { thing } = data.drawn;
  const images = thing.images ?? [];
  const criticals = images.reduce((n, i) => n + i.criticals, 0), highs = images.reduce((n, i) => n + i.highs, 0);
  return (
    <div className="thing" data-fixed={data.fixed || undefined}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="kindname"><Icon kind={thing.kind} /> {thing.kind}{thing.count > 1 && <b> × {thing.count}</b>}</span>
      <strong title={thing.id}>{short(thing.name)}</strong>
      {images.length > 0 && <small>{images.some((i) => !i.scanned) ? "not scanned" : `${criticals} critical, ${highs} high${images.some((i) => i.exploited) ? ", exploited" : ""}`}</small>}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}

function FrameBox({ data }: NodeProps<FrameNode>) {
  return <div className="frame"><span>{data.title}</span></div>;
}

const nodeTypes = { thing: ThingBox, frame: FrameBox };

/** A path as a picture, entry to target; choosing a node or an edge tells the page. */
export function GraphView({ drawing, chosen, choose, fixed = false }: { drawing: Drawing; chosen?: string; choose: (id: string | undefined) => void; fixed?: boolean }) {
  const layout = useLayout(drawing);
  const nodes = useMemo<(ThingNode | FrameNode)[]>(() => {
    if (!layout.data) return [];
    const at = (id: string) => { const b = layout.data.get(id); return { position: { x: b?.x ?? 0, y: b?.y ?? 0 }, width: b?.width, height: b?.height }; };
    const outerFirst = [...drawing.frames].sort((a, b) => Number(Boolean(a.parent)) - Number(Boolean(b.parent)));
    return [
      ...outerFirst.map((f): FrameNode => ({ id: f.id, type: "frame", parentId: f.parent, data: { title: f.title }, selectable: false, focusable: false, ...at(f.id) })),
      ...drawing.nodes.map((n): ThingNode => ({ id: n.id, type: "thing", parentId: n.frame, data: { drawn: n, fixed }, selected: n.id === chosen, ariaLabel: `${n.thing.kind} ${n.thing.name}`, ...at(n.id) })),
    ];
  }, [drawing, layout.data, chosen, fixed]);
  const edges = useMemo<Edge[]>(() => drawing.edges.map((e) => ({
    id: e.id, source: e.from, target: e.to, label: e.label, selected: e.id === chosen, zIndex: 10, ariaLabel: `${e.label}: show the evidence`,
    className: [e.derived ? "derived" : "fact", e.uncertain ? "uncertain" : "", fixed ? "fixed" : ""].join(" "), markerEnd: { type: MarkerType.ArrowClosed },
  })), [drawing, chosen, fixed]);
  if (!layout.data) return <div className="canvas"><Loading rows={4} label="Drawing the path" /></div>;
  return (
    <div className="canvas">
      <ReactFlow nodes={nodes} edges={edges} nodeTypes={nodeTypes} fitView minZoom={0.2} maxZoom={1.25} nodesDraggable={false} nodesConnectable={false}
        deleteKeyCode={null} preventScrolling={false} zoomOnScroll={false} proOptions={{ hideAttribution: true }}
        onNodeClick={(_, n) => n.type === "thing" && choose(n.id)} onEdgeClick={(_, e) => choose(e.id)} onPaneClick={() => choose(undefined)}
        onNodesChange={(cs) => { for (const c of cs) if (c.type === "select" && c.selected) choose(c.id); }}
        onEdgesChange={(cs) => { for (const c of cs) if (c.type === "select" && c.selected) choose(c.id); }} />
    </div>
  );
}
