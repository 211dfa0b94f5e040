import { Autocomplete, Button, NativeSelect } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { plural } from "../../lib/format";
import type { Expr, Query } from "../../query/tree";
import type { Lens } from "./Condition";

type Property = Schemas["PropertyChoice"];
interface Props {
  schema: Schemas["Schema"];
  kind: Schemas["KindInfo"];
  line: Expr;
  lens: Lens;
  cancel: () => void;
}

export function propertyOf(kind: Schemas["KindInfo"] | undefined, name: string | undefined): Property | undefined {
  return [...(kind?.menu.insights ?? []), ...(kind?.menu.properties ?? [])].find((p) => p.name === name);
}

/** A condition while it is written: how it compares, a value completed from live data, and how much it would find. */
export function Editor({ schema, kind, line, lens, cancel }: Props) {
  const prop = propertyOf(kind, line.prop);
  const [op, setOp] = useState(line.op ?? "");
  const [typed, setTyped] = useState(
    line.value === undefined ? "" : Array.isArray(line.value) ? line.value.join(", ") : String(line.value),
  );
  if (!prop) return null;
  const complete = (how: string, text: string): Expr | undefined => {
    const next: Expr = { ...line, op: how };
    if (!how) delete next.op;
    if (bare(how)) {
      delete next.value;
      return next;
    }
    const value = read(prop.type, how, text);
    return text.trim() === "" || (typeof value === "number" && Number.isNaN(value)) ? undefined : { ...next, value };
  };
  const done = (how: string, text: string) => {
    const l = complete(how, text);
    if (l) lens.commit(lens.build(l), l);
  };
  const choices = prop.type === "bool" ? ["true", "false"] : op === "IN" ? undefined : prop.enum;
  const now = complete(op, typed);
  return (
    <form
      className="chips editor"
      onSubmit={(e) => {
        e.preventDefault();
        done(op, typed);
      }}
      onKeyDown={(e) => {
        if (e.key === "Escape") {
          e.preventDefault();
          cancel();
        }
      }}
    >
      <span className="chip" title={prop.sentence}>
        {prop.label}
      </span>
      <NativeSelect
        size="xs"
        autoFocus={bare(op)}
        aria-label={`How ${prop.label} compares`}
        value={op}
        data={prop.ops.map((o) => ({ value: o, label: schema.ops[o] ?? o }))}
        onChange={(e) => setOp(e.currentTarget.value)}
      />
      {bare(op) ? null : choices ? (
        <NativeSelect
          size="xs"
          autoFocus
          aria-label={prop.label}
          value={typed}
          data={["", ...choices]}
          onChange={(e) => {
            setTyped(e.currentTarget.value);
            done(op, e.currentTarget.value);
          }}
        />
      ) : (
        <Values kind={kind} prop={prop} typed={typed} type={setTyped} pick={(v) => done(op, v)} />
      )}
      <Button size="compact-xs" variant="default" type="submit" disabled={!now}>
        Done
      </Button>
      <Button size="compact-xs" variant="subtle" color="gray" onClick={cancel}>
        Cancel
      </Button>
      {now && <Count of={lens.build(now)} schema={schema} />}
    </form>
  );
}

/** Values of live data with how many things have them. */
function Values({
  kind,
  prop,
  typed,
  type,
  pick,
}: {
  kind: Schemas["KindInfo"];
  prop: Property;
  typed: string;
  type: (v: string) => void;
  pick: (v: string) => void;
}) {
  const [contains] = useDebouncedValue(typed, 150);
  const values = api.useQuery(
    "post",
    "/query/values",
    { body: { of: kind.name, prop: prop.name, contains } },
    { placeholderData: (old) => old },
  );
  const counts = new Map(values.data?.values.map((v) => [v.value, v.count]));
  return (
    <Autocomplete
      size="xs"
      autoFocus
      w={220}
      aria-label={`Value of ${prop.label}`}
      placeholder="value"
      value={typed}
      onChange={type}
      onOptionSubmit={pick}
      filter={({ options }) => options}
      comboboxProps={{ width: 360, position: "bottom-start" }}
      data={[...counts.keys()]}
      renderOption={({ option }) => (
        <span className="value">
          <span>{option.value}</span>
          <small>{counts.get(option.value)}</small>
        </span>
      )}
    />
  );
}

/** How much the question would find with this condition, before it is asked. */
function Count({ of, schema }: { of: Query; schema: Schemas["Schema"] }) {
  const [query] = useDebouncedValue(of, 200);
  const answer = api.useQuery(
    "post",
    "/query",
    { body: { query, limit: 0 } },
    { retry: false, placeholderData: (old) => old },
  );
  if (!answer.data || !("roots" in answer.data)) return null;
  const kind = schema.kinds[query.find.kinds?.[0] ?? ""];
  return (
    <small role="status">
      {plural(answer.data.roots, kind?.label.toLowerCase() ?? "thing", kind?.plural.toLowerCase())}
    </small>
  );
}

const bare = (op: string) => op === "" || op.startsWith("IS ");

function read(type: string, op: string, text: string): unknown {
  const one = (t: string): unknown =>
    type === "int" || type === "float" ? Number(t) : type === "bool" ? t === "true" : t;
  return op === "IN" && type !== "list" ? text.split(",").map((t) => one(t.trim())) : one(text.trim());
}
