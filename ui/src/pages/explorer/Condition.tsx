import { ActionIcon, Button } from "@mantine/core";
import { useState, type ReactNode } from "react";
import type { Schemas } from "../../api/client";
import type { Expr, Query } from "../../query/tree";
import { conditions } from "./choices";
import { Editor, propertyOf } from "./Editor";
import { Pick } from "./Pick";
import { say } from "./words";

/** A place in the question: the question with another condition there, and how to ask it. */
export interface Lens {
  build: (line: Expr | undefined) => Query;
  commit: (q: Query, line: Expr | undefined) => void;
}

interface Props {
  schema: Schemas["Schema"];
  kind?: Schemas["KindInfo"];
  line: Expr;
  lens: Lens;
  landed?: string;
  /** The way to the condition from its node, and its drawing as a pattern, if it is one. */
  way: string;
  pattern: (line: Expr, negated: boolean, way: string, lens: Lens) => ReactNode;
}

const set = (lens: Lens, line: Expr | undefined) => lens.commit(lens.build(line), line);

/** One condition: a chip, or a group of them as an indented bar. */
export function Condition(props: Props) {
  const { line } = props;
  if (line.or ?? line.and) return <Group {...props} />;
  const absent = line.not?.exists && { exists: line.not.exists };
  if (absent) return <>{props.pattern(absent, true, `${props.way}/not`, props.lens)}</>;
  if (line.not) return <Not {...props} inner={line.not} />;
  if (line.exists ?? line.count) return <>{props.pattern(line, false, props.way, props.lens)}</>;
  return <Chip {...props} />;
}

export function Remove({ lens }: { lens: Lens }) {
  return (
    <ActionIcon
      size="sm"
      variant="subtle"
      color="gray"
      aria-label="Remove the condition"
      onClick={() => set(lens, undefined)}
    >
      ✕
    </ActionIcon>
  );
}

function Group(props: Props) {
  const { line, lens } = props;
  const key = line.or ? "or" : "and",
    parts = line.or ?? line.and ?? [];
  const whole = (rest: Expr[]) => (rest.length > 1 ? { [key]: rest } : rest[0]);
  const part = (i: number): Lens => ({
    ...lens,
    build: (l) => lens.build(whole(parts.flatMap((p, j) => (j !== i ? [p] : l ? [l] : [])))),
  });
  return (
    <div className="bar">
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        title={key === "or" ? "One of these is enough; press to ask for all" : "All of these; press to ask for any"}
        onClick={() => set(lens, { [key === "or" ? "and" : "or"]: parts })}
      >
        {key === "or" ? "any of" : "all of"}
      </Button>
      {parts.map((p, i) => (
        <div className="chips" key={`${i}${JSON.stringify(p)}`}>
          <Condition {...props} line={p} lens={part(i)} way={`${props.way}/${key}/${i}`} />
        </div>
      ))}
      <div className="chips">
        <Another
          {...props}
          word={key}
          name={`Add to ${key === "or" ? "any of" : "all of"}`}
          lens={{ ...lens, build: (l) => lens.build(whole(l ? [...parts, l] : parts)) }}
        />
      </div>
    </div>
  );
}

function Not(props: Props & { inner: Expr }) {
  const { lens, inner } = props;
  return (
    <>
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        aria-label="Take the not away"
        onClick={() => set(lens, inner)}
      >
        not
      </Button>
      <Condition
        {...props}
        line={inner}
        lens={{ ...lens, build: (l) => lens.build(l && { not: l }) }}
        way={`${props.way}/not`}
      />
    </>
  );
}

/** A sentence of property, comparison and value, edited where it stands. */
function Chip(props: Props) {
  const { schema, kind, line, lens, landed } = props;
  const [edit, setEdit] = useState(false);
  const prop = propertyOf(kind, line.prop);
  if (edit && kind && prop)
    return <Editor schema={schema} kind={kind} line={line} lens={lens} cancel={() => setEdit(false)} />;
  const words = say(schema, kind, line);
  return (
    <>
      <button
        type="button"
        className="chip"
        title={prop?.sentence ?? "It is edited as text"}
        disabled={!prop}
        autoFocus={landed === JSON.stringify(line)}
        onClick={() => setEdit(true)}
        onKeyDown={(e) => {
          if (e.key === "Delete" || e.key === "Backspace") set(lens, undefined);
        }}
      >
        {words}
      </button>
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        className="act"
        aria-label={`Turn ${words} around`}
        onClick={() => set(lens, { not: line })}
      >
        not
      </Button>
      <Another
        {...props}
        word="or"
        name={`Add another way to ${words}`}
        lens={{ ...lens, build: (l) => lens.build(l ? { or: [line, l] } : line) }}
      />
      <Remove lens={lens} />
    </>
  );
}

/** Adds a condition to a group, or makes one a group. */
function Another({ schema, kind, word, name, lens }: Omit<Props, "line"> & { word: string; name: string }) {
  const [draft, setDraft] = useState<Expr>();
  if (!kind) return null;
  if (draft)
    return (
      <>
        <span className="word">{word}</span>
        <Editor schema={schema} kind={kind} line={draft} lens={lens} cancel={() => setDraft(undefined)} />
      </>
    );
  return (
    <Pick
      name={name}
      search="Insight or property"
      list={name}
      choices={() =>
        conditions(kind.menu, (line, complete) => {
          if (complete) set(lens, line);
          else setDraft(line);
        })
      }
    >
      {word}
    </Pick>
  );
}
