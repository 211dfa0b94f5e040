import "./explorer.css";
import { ActionIcon, Button } from "@mantine/core";
import { useState } from "react";
import type { Schemas } from "../../api/client";
import {
  addLine,
  connect,
  disconnect,
  lines,
  nodeAt,
  setKind,
  setLine,
  setOptional,
  start,
  type Expr,
  type Place,
  type Query,
} from "../../query/tree";
import { conditions, connections, ends, kinds } from "./choices";
import { Condition, type Lens } from "./Condition";
import { Editor } from "./Editor";
import { Pick } from "./Pick";

interface Props {
  schema: Schemas["Schema"];
  query: Query;
  change: (q: Query) => void;
}
/** The menu that is open, and the condition that was written last, on which the focus stays. */
interface Moment {
  opened?: string;
  setOpened: (key?: string) => void;
  landed?: string;
  setLanded: (line: string) => void;
}

/** The question as nested lines of chips; every menu comes from the schema. */
export function Builder(props: Props) {
  const [opened, setOpened] = useState<string>();
  const [landed, setLanded] = useState<string>();
  return (
    <div className="builder" aria-label="Question builder" role="group">
      <Line {...props} {...{ opened, setOpened, landed, setLanded }} place={[]} word="Find" />
    </div>
  );
}

function Line(
  props: Props & Moment & { place: Place; word: string; rel?: Schemas["QueryRel"]; above?: Schemas["KindInfo"] },
) {
  const { schema, query, change, place, word, rel, above, opened, setOpened, landed, setLanded } = props;
  const node = nodeAt(query, place);
  const [draft, setDraft] = useState<Expr>();
  if (!node) return null;
  const kind = node.kinds?.length === 1 ? schema.kinds[node.kinds[0] ?? ""] : undefined;
  const title = kind?.plural ?? node.kinds?.map((k) => schema.kinds[k]?.plural ?? k).join(" or ") ?? "Anything";
  const key = place.join(".");
  const where = lines(node.where);
  const lens = (i: number): Lens => ({
    build: (l) => setLine(query, place, i, l),
    commit: (q, l) => {
      setLanded(JSON.stringify(l));
      change(q);
    },
  });
  const adding: Lens = {
    build: (l) => (l ? addLine(query, place, l) : query),
    commit: (q, l) => {
      setDraft(undefined);
      setLanded(JSON.stringify(l));
      change(q);
    },
  };
  const become = (to: string) => {
    const menu = schema.kinds[to]?.menu;
    change(menu ? setKind(query, place, to, menu) : start(to));
  };
  const another = () => (rel && above ? ends(above.menu, rel, become) : kinds(schema, become));
  const additions = () =>
    kind
      ? [
          ...connections(kind.menu, (edge, dir, to) => {
            const next = connect(query, place, edge, dir, to);
            change(next.query);
            setOpened(next.place.join("."));
          }),
          ...conditions(kind.menu, (line, complete) => {
            if (complete) adding.commit(adding.build(line), line);
            else setDraft(line);
          }),
        ]
      : [];
  return (
    <div className="line">
      <div className="chips">
        <span className="word">{word}</span>
        <Pick chip name={`${word} ${title}: change the kind`} search="Kind" list="What to look for" choices={another}>
          {title}
        </Pick>
        {kind && (
          <Pick
            name={`Add to ${title}`}
            search="Insight, property or connection"
            list={`What can be added to ${title}`}
            choices={additions}
            open={opened === key}
            setOpen={(o) => setOpened(o ? key : undefined)}
          >
            +
          </Pick>
        )}
        {rel && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            className="act"
            aria-pressed={rel.optional ?? false}
            title={
              rel.optional
                ? "Shown if there are any; press to require them"
                : "Required; press to show them only if there are any"
            }
            onClick={() => change(setOptional(query, place, !rel.optional))}
          >
            if any
          </Button>
        )}
        {rel && (
          <ActionIcon
            size="sm"
            variant="subtle"
            color="gray"
            aria-label={`Remove ${title}`}
            onClick={() => change(disconnect(query, place))}
          >
            ✕
          </ActionIcon>
        )}
      </div>
      {where.map((line, i) => (
        <div className="chips where" key={`${i}${JSON.stringify(line)}`}>
          <span className="word">{i === 0 ? "where" : "and"}</span>
          <Condition schema={schema} kind={kind} line={line} lens={lens(i)} landed={landed} />
        </div>
      ))}
      {draft && kind && (
        <div className="chips where">
          <span className="word">{where.length ? "and" : "where"}</span>
          <Editor schema={schema} kind={kind} line={draft} lens={adding} cancel={() => setDraft(undefined)} />
        </div>
      )}
      {node.with?.map((r, i) => (
        <Line key={i} {...props} place={[...place, i]} word={verb(schema, kind, r)} rel={r} above={kind} />
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
  return words.join(" or ");
}
