import "@xyflow/react/dist/base.css";
import "./graph.css";
import { Button } from "@mantine/core";
import { useElementSize, useViewportSize } from "@mantine/hooks";
import { ReactFlowProvider } from "@xyflow/react";
import { useMemo, useState } from "react";
import { plural } from "../lib/format";
import { fold, hidden } from "./fold";
import { column, estimate, least, view } from "./layout";
import type { Drawing } from "./model";
import { Picture } from "./Picture";
import { chokes, firstRoute } from "./routes";
import { useLayout } from "./useLayout";

interface Props {
  drawing: Drawing;
  chosen?: string;
  fixed?: boolean;
  /** Routes beside the first; 999 stands for many. */
  others?: number;
  /** Whether the other routes are drawn, too. */
  all?: boolean;
  setAll?: (all: boolean) => void;
  /** By keyboard, the evidence takes the focus. */
  choose: (id: string | undefined, byKey?: boolean) => void;
}

const narrow = 720;

/** A path as a picture, entry to target; arrow keys walk it, choosing a node or a verb tells the page. */
export function GraphView({ drawing, chosen, choose, fixed = false, others = 0, all = false, setAll }: Props) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const size = useElementSize<HTMLDivElement>();
  const whole = useMemo(() => (all ? drawing : firstRoute(drawing)), [drawing, all]);
  const folded = useMemo(() => fold(whole, opened), [whole, opened]);
  const behind = chosen && hidden(folded, chosen);
  if (behind) setOpened(new Set([...opened, behind])); // what is chosen is in sight
  // The room without a pane decides which way it goes, so that opening one does not turn it.
  const page = useViewportSize().width,
    room = page > 760 ? page - 200 : page - 32;
  const across = useLayout(folded, "RIGHT", room >= narrow);
  const fits = room >= narrow && view(across.data ?? estimate(folded, "RIGHT"), { width: room, height: Infinity }).fits;
  const short = folded.nodes.length <= 40; // more things are drawn across, not beside the story
  const down = useLayout(folded, "DOWN", room < narrow || (!fits && short));
  const beside = room >= narrow && !fits && short && column(down.data ?? estimate(folded, "DOWN"), room);
  const turned = room < narrow || beside;
  const layout = turned ? down.data : across.data;
  const shown = layout?.drawing ?? folded;
  const toggle = (name: string) => {
    const next = new Set(opened);
    if (!next.delete(name)) next.add(name);
    if (chosen && hidden(fold(whole, next), chosen)) choose(undefined);
    setOpened(next);
  };
  const places = layout ?? estimate(folded, turned ? "DOWN" : "RIGHT");
  // What goes down and is not too wide is scrolled with the page.
  const scrolls = turned && (size.width === 0 || places.width * least <= size.width - 2);
  const tall = Math.min(places.height, scrolls ? Infinity : 560) + 8;
  const foot = view(places, { width: size.width - 2, height: tall }).fits ? 0 : 112;
  const height = tall + foot;
  return (
    <div
      className="graph"
      data-turned={beside || undefined}
      style={beside ? { width: Math.max(330, places.width) + 14 } : undefined}
    >
      {others > 0 && <Routes {...{ drawing, others, all, setAll, choose }} />}
      <div className="canvas" role="region" aria-label="Drawing of the attack path" ref={size.ref} style={{ height }}>
        {layout && size.width > 0 ? (
          <ReactFlowProvider>
            <Picture
              drawing={shown}
              places={layout}
              direction={layout.direction}
              canvas={{ width: size.width - 2, height: height - 2 }}
              foot={foot}
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

const most = 6;

const stepName = (d: Drawing, id: string) => `step ${d.edges.find((e) => e.id === id)?.number ?? ""}`;

/** Other routes are folded until asked for; what all of them pass is where one change ends them all. */
function Routes({
  drawing,
  others,
  all = false,
  setAll,
  choose,
}: Required<Pick<Props, "drawing" | "others" | "choose">> & Pick<Props, "all" | "setAll">) {
  const shared = useMemo(() => {
    const passed = chokes(drawing).map((id) => {
      const node = drawing.nodes.find((n) => n.id === id);
      return { id, thing: node !== undefined, name: node ? `${node.kind} ${node.thing.name}` : stepName(drawing, id) };
    });
    const things = passed.filter((p) => p.thing);
    return things.length ? things : passed; // a step on every route leads to such a thing, or to the target
  }, [drawing]);
  const many = others >= 999 ? "many other routes" : plural(others, "other route");
  return (
    <div className="routes">
      <span>
        {all
          ? "All routes are drawn; the most likely one is numbered."
          : `The most likely route; ${many} lead there, too.`}
      </span>
      {setAll && (
        <Button size="compact-xs" variant="default" aria-pressed={all} onClick={() => setAll(!all)}>
          {all ? "Only the most likely route" : "Draw all routes"}
        </Button>
      )}
      <span className="chokes">
        {shared.length > 0 ? "Every route passes" : "No one thing or step lies on every route."}
        {shared.slice(0, most).map(({ id, name }) => (
          <button key={id} type="button" className="stepbutton" onClick={(e) => choose(id, e.detail === 0)}>
            {name}
          </button>
        ))}
        {shared.length > most && `and ${shared.length - most} more`}
      </span>
    </div>
  );
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
