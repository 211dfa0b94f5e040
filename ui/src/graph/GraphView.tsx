import "@xyflow/react/dist/base.css";
import "./graph.css";
import { Button } from "@mantine/core";
import { useElementSize, useViewportSize } from "@mantine/hooks";
import { MarkerType, Position, ReactFlow, ReactFlowProvider, useReactFlow } from "@xyflow/react";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { fold, walk } from "./fold";
import { absolute, estimate, view, type Direction, type Places } from "./layout";
import type { Drawing } from "./model";
import { StepEdge, type Step } from "./StepEdge";
import { FrameBox, ThingBox, type FrameNode, type Shown, type ThingNode } from "./ThingBox";
import { useLayout } from "./useLayout";

interface Props {
  drawing: Drawing;
  chosen?: string;
  fixed?: boolean;
  /** By keyboard, the evidence takes the focus. */
  choose: (id: string | undefined, byKey?: boolean) => void;
}

const nodeTypes = { thing: ThingBox, frame: FrameBox };
const edgeTypes = { step: StepEdge };
const narrow = 720;

/** A path as a picture, entry to target; arrow keys walk it, choosing a node or a verb tells the page. */
export function GraphView({ drawing, chosen, choose, fixed = false }: Props) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const size = useElementSize<HTMLDivElement>();
  const folded = useMemo(() => fold(drawing, opened), [drawing, opened]);
  // The room without a pane decides which way it goes, so that opening one does not turn it.
  const page = useViewportSize().width,
    room = page > 760 ? page - 200 : page - 32;
  const across = useLayout(folded, "RIGHT", room >= narrow);
  const turned =
    room < narrow ||
    (folded.nodes.length <= 12 &&
      !view(across.data ?? estimate(folded, "RIGHT"), { width: room, height: Infinity }).fits);
  const down = useLayout(folded, "DOWN", turned);
  const layout = turned ? down.data : across.data;
  const shown = layout?.drawing ?? folded;
  const toggle = (name: string) =>
    setOpened((o) => {
      const next = new Set(o);
      if (!next.delete(name)) next.add(name);
      return next;
    });
  const height = Math.min((layout ?? estimate(folded, turned ? "DOWN" : "RIGHT")).height, turned ? Infinity : 560) + 8;
  return (
    <div className="graph" data-turned={turned || undefined}>
      <div className="canvas" role="region" aria-label="Drawing of the attack path" ref={size.ref} style={{ height }}>
        {layout && size.width > 0 ? (
          <ReactFlowProvider>
            <Picture
              drawing={shown}
              places={layout}
              direction={layout.direction}
              canvas={{ width: size.width - 2, height: height - 2 }}
              {...{ chosen, choose, fixed, toggle }}
            />
          </ReactFlowProvider>
        ) : (
          <p className="drawing" role="status">
            Drawing the path …
          </p>
        )}
      </div>
      <Legend drawing={shown} />
    </div>
  );
}

interface PictureProps extends Props {
  places: Places;
  direction: Direction;
  canvas: { width: number; height: number };
  toggle: (fold: string) => void;
}

function Picture({ drawing, places, direction, canvas, chosen, choose, fixed = false, toggle }: PictureProps) {
  const flow = useReactFlow();
  const order = useMemo(() => walk(drawing), [drawing]);
  const [at, setAt] = useState<string>();
  const here = at && order.includes(at) ? at : chosen && order.includes(chosen) ? chosen : order[0];
  const box = useRef<HTMLDivElement>(null);
  const spots = useMemo(() => absolute(drawing, places), [drawing, places]);
  const spot = (id: string | undefined) =>
    id ? (spots.get(id) ?? spots.get(drawing.edges.find((e) => e.id === id)?.from ?? "")) : undefined;
  const looking = view(places, canvas, spot(chosen));
  useEffect(() => {
    void flow.setViewport(looking, { duration: 0 });
  }, [flow, looking.x, looking.y, looking.zoom]);
  useEffect(() => {
    if (chosen) walked(box.current, chosen)?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const pick = (id: string, byKey = false) => {
    setAt(id);
    choose(id, byKey);
  };
  const common = (id: string): Shown => ({
    direction,
    fixed,
    chosen: id === chosen,
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
    else if (!looking.fits) void flow.setViewport(view(places, canvas, spot(id)), { duration: 0 });
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
        minZoom={0.03}
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
      />
      {!looking.fits && (
        <div className="look">
          <Button
            size="compact-xs"
            variant="default"
            aria-label="Nearer"
            onClick={() => void flow.zoomIn({ duration: 0 })}
          >
            +
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            aria-label="Farther"
            onClick={() => void flow.zoomOut({ duration: 0 })}
          >
            −
          </Button>
          <Button size="compact-xs" variant="default" onClick={() => void flow.fitView({ duration: 0 })}>
            Whole
          </Button>
        </div>
      )}
    </div>
  );
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
        e.uncertain && "uncertain",
        shown.fixed && "fixed",
        shown.chosen && "chosen",
      ]
        .filter(Boolean)
        .join(" "),
    };
  });
}

/** How to read the lines, as far as there are such lines. */
function Legend({ drawing }: { drawing: Drawing }) {
  const line = (kind: string, text: string) => (
    <span>
      <svg width="28" height="8" aria-hidden className={kind}>
        <path d="M0 4h28" className="react-flow__edge-path" />
      </svg>{" "}
      {text}
    </span>
  );
  return (
    <p className="legend">
      {drawing.edges.some((e) => !e.derived) && line("fact", "a fact that was read")}
      {drawing.edges.some((e) => e.derived) && line("derived", "follows by a rule")}
      {drawing.edges.some((e) => e.uncertain) && line("uncertain", "something unseen may prevent it")}
      <span className="keys">Arrow keys walk the path, Enter shows the evidence</span>
    </p>
  );
}
