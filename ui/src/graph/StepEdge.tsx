import { BaseEdge, EdgeLabelRenderer, getBezierPath, type Edge, type EdgeProps } from "@xyflow/react";
import type { DrawnEdge } from "./model";
import type { Shown } from "./ThingBox";

export type Step = Edge<Shown & { drawn: DrawnEdge; quiet: boolean }, "step">;

/** A step of the path: a line with its verb, which shows the evidence. */
export function StepEdge({ data, markerEnd, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition }: EdgeProps<Step>) {
  const [path, x, middle] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  if (!data) return null;
  const { drawn } = data;
  const y = data.direction === "DOWN" ? sourceY + 17 : middle; // clear of the titles of frames
  return (
    <>
      <BaseEdge path={path} markerEnd={markerEnd} interactionWidth={24} />
      <EdgeLabelRenderer>
        <button type="button" className="steplabel nopan" data-walk={drawn.id} data-chosen={data.chosen || undefined} data-derived={drawn.derived || undefined} data-fixed={data.fixed || undefined} data-quiet={data.quiet || undefined} data-wide={data.direction === "DOWN" || undefined}
          tabIndex={data.focused ? 0 : -1} aria-pressed={data.chosen} aria-label={`${drawn.number ? `Step ${drawn.number}: ` : ""}${drawn.label}: show the evidence`}
          style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }} onClick={(e) => { e.stopPropagation(); data.choose(drawn.id, e.detail === 0); }}>
          {drawn.number && <span className="stepnumber">{drawn.number}</span>}<span>{drawn.label}{drawn.steps.length > 1 && ` × ${drawn.steps.length}`}{drawn.uncertain && <em> uncertain</em>}</span>
        </button>
      </EdgeLabelRenderer>
    </>
  );
}
