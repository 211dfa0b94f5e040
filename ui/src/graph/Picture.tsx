import { MarkerType, MiniMap, Position, ReactFlow, useReactFlow } from "@xyflow/react";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { shownAs, walk } from "./fold";
import { absolute, least, view, type Box, type Direction, type Places } from "./layout";
import type { Drawing } from "./model";
import { StepEdge, type Step } from "./StepEdge";
import { FrameBox, ThingBox, type FrameNode, type Shown, type ThingNode } from "./ThingBox";

const nodeTypes = { thing: ThingBox, frame: FrameBox };
const edgeTypes = { step: StepEdge };

interface Props {
  drawing: Drawing;
  chosen?: string;
  fixed?: boolean;
  choose: (id: string | undefined, byKey?: boolean) => void;
  places: Places;
  direction: Direction;
  canvas: { width: number; height: number };
  /** What of its height the overview has for itself. */
  foot: number;
  toggle: (fold: string) => void;
}

/** The canvas: what does not fit is moved by dragging, by the arrow keys and by the overview; text never shrinks. */
export function Picture({ drawing, places, direction, canvas, foot, chosen, choose, fixed = false, toggle }: Props) {
  const flow = useReactFlow();
  const order = useMemo(() => walk(drawing), [drawing]);
  const [at, setAt] = useState<string>();
  const marked = shownAs(drawing, chosen);
  const here = marked ?? (at && order.includes(at) ? at : order[0]);
  const box = useRef<HTMLDivElement>(null);
  const spots = useMemo(() => absolute(drawing, places), [drawing, places]);
  const room = { width: canvas.width, height: canvas.height - foot };
  const looking = view(places, room, spot(drawing, spots, marked ?? drawing.entry));
  useEffect(() => {
    void flow.setViewport(looking, { duration: 0 });
    if (!marked) return;
    const drawn = requestAnimationFrame(() => walked(box.current, marked)?.scrollIntoView({ block: "nearest" }));
    return () => cancelAnimationFrame(drawn);
  }, [flow, marked, looking.x, looking.y, looking.zoom]);
  const pick = (id: string, byKey = false) => {
    setAt(id);
    choose(id, byKey);
  };
  const common = (id: string): Shown => ({
    direction,
    fixed,
    chosen: id === marked,
    focused: id === here,
    choose: pick,
  });
  const move = (e: KeyboardEvent) => {
    const now = order.indexOf(here ?? "");
    const to = {
      ArrowRight: now + 1,
      ArrowDown: now + 1,
      ArrowLeft: now - 1,
      ArrowUp: now - 1,
      Home: 0,
      End: order.length - 1,
    }[e.key];
    const id = to === undefined ? undefined : order[to];
    if (!id) return;
    e.preventDefault();
    setAt(id);
    if (chosen) choose(id);
    else if (!looking.fits) void flow.setViewport(view(places, room, spot(drawing, spots, id)), { duration: 0 });
    requestAnimationFrame(() => walked(box.current, id)?.focus({ preventScroll: true }));
  };
  return (
    <div className="picture" ref={box} onKeyDown={move}>
      <ReactFlow
        nodes={boxesOf(drawing, places, common, toggle)}
        edges={linesOf(drawing, common)}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        defaultViewport={looking}
        minZoom={least}
        maxZoom={1.5}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        deleteKeyCode={null}
        disableKeyboardA11y
        preventScrolling={false}
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        panOnDrag={!looking.fits}
        proOptions={{ hideAttribution: true }}
        onEdgeClick={(_, e) => pick(e.id)}
        onPaneClick={() => choose(undefined)}
      >
        {foot > 0 && (
          <MiniMap
            ariaLabel="Overview of the drawing: press where to look"
            pannable
            style={{ width: 132, height: foot - 16 }}
            nodeClassName={(n) => (n.id === marked ? "marked" : n.type === "frame" ? "around" : "")}
            onClick={(_, at) => void flow.setCenter(at.x, at.y, { zoom: least, duration: 0 })}
          />
        )}
      </ReactFlow>
    </div>
  );
}

/** Where a thing is, or the room between the two that a step joins. */
function spot(drawing: Drawing, spots: ReadonlyMap<string, Box>, id: string | undefined): Box | undefined {
  const edge = drawing.edges.find((e) => e.id === id);
  const [a, b] = [edge?.from ?? id, edge?.to ?? id].map((end) => spots.get(end ?? ""));
  if (!a || !b) return a;
  const x = Math.min(a.x, b.x),
    y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

function walked(box: HTMLElement | null, id: string): HTMLElement | null | undefined {
  return box?.querySelector<HTMLElement>(`[data-walk="${CSS.escape(id)}"]`);
}

function boxesOf(
  drawing: Drawing,
  places: Places,
  common: (id: string) => Shown,
  toggle: (fold: string) => void,
): (ThingNode | FrameNode)[] {
  const at = (id: string) => {
    const b = places.boxes.get(id);
    return { position: { x: b?.x ?? 0, y: b?.y ?? 0 }, width: b?.width ?? 0, height: b?.height ?? 0 };
  };
  const outerFirst = [...drawing.frames].sort((a, b) => Number(Boolean(a.parent)) - Number(Boolean(b.parent)));
  const frame = (id: string | undefined) => (id ? `frame ${id}` : undefined);
  return [
    ...outerFirst.map((f): FrameNode => ({
      id: `frame ${f.id}`,
      type: "frame",
      parentId: frame(f.parent),
      data: { title: f.title },
      ...at(`frame ${f.id}`),
    })),
    ...drawing.nodes.map((n): ThingNode => ({
      id: n.id,
      type: "thing",
      parentId: frame(n.frame),
      data: { ...common(n.id), drawn: n, toggle },
      ...at(n.id),
      ...sides(at(n.id), common(n.id).direction),
    })),
  ];
}

/** Where lines touch a node. Told here, it need not be measured, so lines and their verbs stay while nodes change. */
function sides(
  { width, height }: { width: number; height: number },
  direction: Direction,
): Pick<ThingNode, "handles" | "measured"> {
  const point = (type: "source" | "target", position: Position, x: number, y: number) => ({
    type,
    position,
    x,
    y,
    width: 1,
    height: 1,
  });
  return {
    measured: { width, height },
    handles:
      direction === "RIGHT"
        ? [point("target", Position.Left, 0, height / 2), point("source", Position.Right, width - 1, height / 2)]
        : [point("target", Position.Top, width / 2, 0), point("source", Position.Bottom, width / 2, height - 1)],
  };
}

/** Lines with their verbs; in a crowd each verb is written once, and the others where the focus is. */
function linesOf(drawing: Drawing, common: (id: string) => Shown): Step[] {
  const said = new Set<string>(),
    crowded = drawing.edges.length > 40;
  return drawing.edges.map((e) => {
    const quiet = crowded && said.has(e.label);
    said.add(e.label);
    const shown = common(e.id);
    return {
      id: e.id,
      type: "step",
      source: e.from,
      target: e.to,
      zIndex: 10,
      data: { ...shown, drawn: e, quiet },
      markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 },
      className: [
        e.derived ? "derived" : "fact",
        e.number === undefined && "other",
        e.uncertain && "uncertain",
        shown.fixed && "fixed",
        shown.chosen && "chosen",
      ]
        .filter(Boolean)
        .join(" "),
    };
  });
}
