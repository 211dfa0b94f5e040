import { BaseEdge, EdgeLabelRenderer, getBezierPath, type Edge, type EdgeProps } from "@xyflow/react";
import type { DrawnEdge } from "./model";
import type { Shown } from "./ThingBox";

export type Step = Edge<Shown & { drawn: DrawnEdge; quiet: boolean }, "step">;

/** A step of the path: a line with its verb, which shows the evidence. */
export function StepEdge({
  data,
  markerEnd,
  sourceX,
  sourceY,
  targetX,
  targetY,
  sourcePosition,
  targetPosition,
}: EdgeProps<Step>) {
  const [path, x, middle] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  if (!data) return null;
  const { drawn } = data;
  const down = data.direction === "DOWN";
  const place = down
    ? `translate(-50%, -50%) translate(${x}px, ${sourceY + 17}px)`
    : `translate(-50%, -100%) translate(${x}px, ${middle - 3}px)`; // clear of titles, and of the line
  return (
    <>
      <BaseEdge path={path} markerEnd={markerEnd} interactionWidth={24} />
      <EdgeLabelRenderer>
        <button
          type="button"
          className="steplabel nopan"
          data-walk={drawn.id}
          data-chosen={data.chosen || undefined}
          data-derived={drawn.derived || undefined}
          data-fixed={data.fixed || undefined}
          data-quiet={data.quiet || undefined}
          data-wide={down || undefined}
          tabIndex={data.focused ? 0 : -1}
          aria-pressed={data.chosen}
          aria-label={`${drawn.number ? `Step ${drawn.number}: ` : ""}${drawn.label}: show the evidence`}
          style={{ transform: place }}
          onClick={(e) => {
            e.stopPropagation();
            data.choose(drawn.id, e.detail === 0);
          }}
        >
          {drawn.number && <span className="stepnumber">{drawn.number}</span>}
          <span>
            {drawn.label}
            {drawn.steps.length > 1 && ` × ${drawn.steps.length}`}
            {drawn.uncertain && <em> uncertain</em>}
          </span>
        </button>
      </EdgeLabelRenderer>
    </>
  );
}
