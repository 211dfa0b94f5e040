import "./explorer.css";
import { ActionIcon, Button, NativeSelect } from "@mantine/core";
import { useState } from "react";
import type { Schemas } from "../../api/client";
import {
  addLine,
  connect,
  disconnect,
  isInside,
  lineAt,
  lines,
  nodeAt,
  reach,
  setKind,
  setLine,
  setOptional,
  start,
  toCondition,
  toConnection,
  type Expr,
  type Place,
  type Query,
  type Rel,
} from "../../query/tree";
import { beyond, conditions, connections, ends, kinds, reaching } from "./choices";
import { Condition, Remove, type Lens } from "./Condition";
import { Editor } from "./Editor";
import { Amount } from "./Pattern";
import { Pick } from "./Pick";
import { kindOf, verbOf } from "./words";

interface Props {
  schema: Schemas["Schema"];
  query: Query;
  change: (q: Query) => void;
}
/** The menu that is open, the condition that is being written, and the one that was written last, on which the focus stays. */
interface Moment {
  opened?: string;
  setOpened: (key?: string) => void;
  draft?: { at: string; line: Expr };
  setDraft: (draft?: { at: string; line: Expr }) => void;
  landed?: string;
  setLanded: (line: string) => void;
}

const keyOf = (place: Place) => place.join(".");

/** The question as nested lines of chips; every menu comes from the schema. */
export function Builder(props: Props) {
  const [opened, setOpened] = useState<string>();
  const [draft, setDraft] = useState<Moment["draft"]>();
  const [landed, setLanded] = useState<string>();
  return (
    <div className="builder" aria-label="Question builder" role="group">
      <Line {...props} {...{ opened, setOpened, draft, setDraft, landed, setLanded }} place={[]} word="Find" />
    </div>
  );
}

/** A connection as a condition: with none, without any. */
const amounts: Record<string, (rel: Rel) => Expr> = {
  some: (rel) => ({ exists: rel }),
  none: (rel) => ({ not: { exists: rel } }),
  count: (rel) => ({ count: rel, op: ">=", value: 1 }),
};

interface LineProps extends Props, Moment {
  place: Place;
  word: string;
  rel?: Rel;
  above?: Schemas["KindInfo"];
  /** The end of a connection that is counted: it leads no further. */
  last?: boolean;
}

function Line(props: LineProps) {
  const { schema, query, change, place, word, rel, above, last, opened, setOpened, setDraft, landed, setLanded } =
    props;
  const node = nodeAt(query, place);
  if (!node) return null;
  const kind = kindOf(schema, node.kinds);
  const title = kind?.plural ?? node.kinds?.map((k) => schema.kinds[k]?.plural ?? k).join(" or ") ?? "Anything";
  const key = keyOf(place);
  const draft = props.draft?.at === key ? props.draft.line : undefined;
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
          ...(last
            ? []
            : connections(kind.menu, (edge, dir, to) => {
                const next = connect(query, place, edge, dir, to);
                change(next.query);
                setOpened(keyOf(next.place));
              })),
          ...(last ? [] : reaching(schema, kind.menu, (edges, dir, to) => change(reach(query, place, edges, dir, to)))),
          ...conditions(kind.menu, (line, complete) => {
            if (complete) adding.commit(adding.build(line), line);
            else setDraft({ at: key, line });
          }),
        ]
      : [];
  const further = () =>
    kind && !last
      ? beyond(schema, kind.menu, (edge, dir, to, line, complete) => {
          const next = connect(query, place, edge, dir, to);
          change(complete ? addLine(next.query, next.place, line) : next.query);
          if (!complete) setDraft({ at: keyOf(next.place), line });
        })
      : [];
  /** A connection that is asked about in a condition: how many of it, and what is asked of its end. */
  const pattern = (i: number) => (line: Expr, negated: boolean, way: string, at: Lens) => {
    const form = line.exists ? "exists" : "count",
      of = line.exists ?? line.count;
    if (!of) return null;
    const far = kindOf(schema, of.to.kinds);
    const own = !isInside(place) && way.replace(/\/not$/, "") === lineAt(node, i);
    return (
      <div className="pattern">
        <div className="chips">
          <span className="word">{verbOf(schema, kind, of)}</span>
          <Amount
            schema={schema}
            line={line}
            negated={negated}
            own={own}
            chain={far?.menu.connections.some((c) => c.dir === of.dir && of.edge.includes(c.edge)) ?? false}
            change={(l, shown) => (shown ? change(toConnection(query, place, i, shown)) : at.commit(at.build(l), l))}
          />
          <Remove lens={at} />
        </div>
        <Line
          {...props}
          place={[...place, `${way}/${form}/to`]}
          word="of"
          rel={of}
          above={kind}
          last={form === "count"}
        />
      </div>
    );
  };
  const shown = isInside(place) ? undefined : rel;
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
            more={further}
            open={opened === key}
            setOpen={(o) => setOpened(o ? key : undefined)}
          >
            +
          </Pick>
        )}
        {shown && (
          <NativeSelect
            size="xs"
            className="amount"
            aria-label={`How many ${title}`}
            value="shown"
            data={[
              { value: "shown", label: "each, shown" },
              { value: "some", label: "at least one" },
              { value: "none", label: "none" },
              { value: "count", label: "a number of" },
            ]}
            onChange={(e) =>
              change(toCondition(query, place, amounts[e.currentTarget.value] ?? ((r) => ({ exists: r }))))
            }
          />
        )}
        {shown && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            className="act"
            aria-pressed={shown.optional ?? false}
            title={
              shown.optional
                ? "Shown if there are any; press to require them"
                : "Required; press to show them only if there are any"
            }
            onClick={() => change(setOptional(query, place, !shown.optional))}
          >
            if any
          </Button>
        )}
        {shown && (
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
          <Condition
            schema={schema}
            kind={kind}
            line={line}
            lens={lens(i)}
            landed={landed}
            way={lineAt(node, i)}
            pattern={pattern(i)}
          />
        </div>
      ))}
      {draft && kind && (
        <div className="chips where">
          <span className="word">{where.length ? "and" : "where"}</span>
          <Editor schema={schema} kind={kind} line={draft} lens={adding} cancel={() => setDraft(undefined)} />
        </div>
      )}
      {node.with?.map((r, i) => (
        <Line key={i} {...props} place={[...place, i]} word={verbOf(schema, kind, r)} rel={r} above={kind} />
      ))}
    </div>
  );
}
