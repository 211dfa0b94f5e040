import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { Icon } from "../components/Icon";
import { short } from "../lib/format";
import { notesShown, type Direction } from "./layout";
import type { DrawnNode } from "./model";

export type Shown = {
  direction: Direction;
  fixed: boolean;
  chosen: boolean;
  focused: boolean;
  choose: (id: string, byKey: boolean) => void;
};
export type ThingNode = Node<Shown & { drawn: DrawnNode; toggle: (fold: string) => void }, "thing">;
export type FrameNode = Node<{ title: string }, "frame">;

/** A thing of the path: its kind by shape and word, its name, and what is known of it. */
export function ThingBox({ data }: NodeProps<ThingNode>) {
  const { thing, kind, notes, fold, open, between } = data.drawn;
  const [from, to] = data.direction === "RIGHT" ? [Position.Left, Position.Right] : [Position.Top, Position.Bottom];
  const more = notes.length - notesShown;
  return (
    <div
      className="thing nopan"
      data-chosen={data.chosen || undefined}
      data-fixed={data.fixed || undefined}
      data-many={fold && !open ? true : undefined}
    >
      <Handle type="target" position={from} isConnectable={false} />
      <button
        type="button"
        className="thingbutton"
        data-walk={data.drawn.id}
        tabIndex={data.focused ? 0 : -1}
        aria-pressed={data.chosen}
        aria-label={`${kind} ${short(thing.name)}: show what is known`}
        onClick={(e) => data.choose(data.drawn.id, e.detail === 0)}
      >
        <span className="kindname">
          <Icon kind={thing.kind} /> {kind}
        </span>
        <strong title={thing.id}>{short(thing.name)}</strong>
        {notes.slice(0, notesShown).map((n, i) => (
          <span key={n.text} className="note" data-warns={n.warns || undefined} title={n.why}>
            {n.text}
            {i === notesShown - 1 && more > 0 && ` +${more}`}
          </span>
        ))}
      </button>
      {fold && (
        <button
          type="button"
          className="foldbutton"
          tabIndex={data.focused ? 0 : -1}
          aria-expanded={open}
          title={open ? "Fold them again" : `Unfold all ${thing.count}`}
          aria-label={
            open
              ? `Fold what belongs with ${thing.name}`
              : between
                ? `Unfold ${thing.name}`
                : `Unfold ${thing.count} of ${kind} ${thing.name}`
          }
          onClick={() => data.toggle(fold)}
        >
          {open ? "−" : between ? "unfold" : `× ${thing.count}`}
        </button>
      )}
      <Handle type="source" position={to} isConnectable={false} />
    </div>
  );
}

export function FrameBox({ data }: NodeProps<FrameNode>) {
  return (
    <div className="frame">
      <span>{data.title}</span>
    </div>
  );
}
