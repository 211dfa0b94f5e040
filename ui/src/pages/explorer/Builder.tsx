import { ActionIcon } from "@mantine/core";
import { useState } from "react";
import type { Schemas } from "../../api/client";
import { addLine, connect, disconnect, lines, nodeAt, setLine, start, type Expr, type Place, type Query } from "../../query/tree";
import { AddMenu } from "./AddMenu";
import { Condition } from "./Condition";

interface Props { schema: Schemas["Schema"]; query: Query; change: (q: Query) => void }

/** The question as nested lines of chips; every menu comes from the schema. */
export function Builder({ schema, query, change }: Props) {
  const [opened, setOpened] = useState<string>();
  return <div className="builder" aria-label="Question builder" role="group"><Line {...{ schema, query, change, opened, setOpened }} place={[]} word="Find" /></div>;
}

function Line({ schema, query, change, place, word, opened, setOpened }: Props & { place: Place; word: string; opened?: string; setOpened: (key?: string) => void }) {
  const node = nodeAt(query, place);
  const [draft, setDraft] = useState<Expr>();
  if (!node) return null;
  const kind = node.kinds?.length === 1 ? schema.kinds[node.kinds[0] ?? ""] : undefined;
  const title = kind?.plural ?? node.kinds?.map((k) => schema.kinds[k]?.plural ?? k).join(" or ") ?? "Anything";
  const key = place.join(".");
  const remove = () => change(place.length ? disconnect(query, place) : start(node.kinds?.[0] ?? ""));
  return (
    <div className="line">
      <div className="chips">
        <span className="word">{word}</span>
        <span className="chip kind" title={kind?.sentence}>{title}</span>
        {kind && <AddMenu title={title} menu={kind.menu} open={opened === key} setOpen={(o) => setOpened(o ? key : undefined)}
          condition={(line, complete) => { if (complete) change(addLine(query, place, line)); else setDraft(line); }}
          connection={(c, to) => { const next = connect(query, place, c.edge, c.dir, to); change(next.query); setOpened(next.place.join(".")); }} />}
        {place.length > 0 && <ActionIcon size="sm" variant="subtle" color="gray" aria-label={`Remove ${title}`} onClick={remove}>✕</ActionIcon>}
      </div>
      {lines(node.where).map((line, i) => (
        <div className="chips where" key={`${i}${JSON.stringify(line)}`}>
          <span className="word">{i === 0 ? "where" : "and"}</span>
          <Condition schema={schema} kind={kind} line={line} change={(l) => change(setLine(query, place, i, l))} />
        </div>
      ))}
      {draft && (
        <div className="chips where">
          <span className="word">{lines(node.where).length ? "and" : "where"}</span>
          <Condition schema={schema} kind={kind} line={draft} editing change={(l) => { setDraft(undefined); if (l) change(addLine(query, place, l)); }} />
        </div>
      )}
      {node.with?.map((rel, i) => (
        <Line key={i} {...{ schema, query, change, opened, setOpened }} place={[...place, i]} word={verb(schema, kind, rel)} />
      ))}
    </div>
  );
}

function verb(schema: Schemas["Schema"], kind: Schemas["KindInfo"] | undefined, rel: Schemas["QueryRel"]): string {
  const words = rel.edge.map((e) => {
    const choice = kind?.menu.connections.find((c) => c.edge === e && c.dir === rel.dir);
    const edge = schema.edges[e];
    return choice?.label ?? (rel.dir === "out" ? edge?.verb : edge?.inverse) ?? e;
  });
  return `${rel.optional ? "if any, " : ""}${words.join(" or ")}`;
}
