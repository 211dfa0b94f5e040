import { ActionIcon, Autocomplete, Button, NativeSelect } from "@mantine/core";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import type { Expr } from "../../query/tree";

interface Props { schema: Schemas["Schema"]; kind?: Schemas["KindInfo"]; line: Expr; editing?: boolean; change: (line: Expr | undefined) => void }

/** One condition as a chip that is edited in place; groups are shown as indented bars. */
export function Condition({ schema, kind, line, editing = false, change }: Props) {
  const [edit, setEdit] = useState(editing);
  const remove = <ActionIcon size="sm" variant="subtle" color="gray" aria-label="Remove the condition" onClick={() => change(undefined)}>✕</ActionIcon>;
  const parts = line.or ?? line.and;
  if (parts) {
    const key = line.or ? "or" : "and";
    const set = (i: number, l: Expr | undefined) => {
      const rest = parts.flatMap((p, j) => (j !== i ? [p] : l ? [l] : []));
      change(rest.length > 1 ? { [key]: rest } : rest[0]);
    };
    return (
      <div className="bar">
        <Button size="compact-xs" variant="subtle" onClick={() => change({ [key === "or" ? "and" : "or"]: parts })}>{key === "or" ? "any of" : "all of"}</Button>
        {parts.map((p, i) => <div className="chips" key={i}><Condition schema={schema} kind={kind} line={p} change={(l) => set(i, l)} /></div>)}
      </div>
    );
  }
  if (line.not) return <div className="bar"><Button size="compact-xs" variant="subtle" onClick={() => change(line.not)}>not</Button><Condition schema={schema} kind={kind} line={line.not} change={(l) => change(l && { not: l })} /></div>;
  if (line.exists ?? line.count) return <><span className="chip">{pattern(schema, line)}</span>{remove}</>;
  const prop = [...(kind?.menu.insights ?? []), ...(kind?.menu.properties ?? [])].find((p) => p.name === line.prop);
  if (edit && prop && line.op) return <Editor schema={schema} kind={kind} prop={prop} line={line} done={(l) => { setEdit(false); change(l); }} cancel={() => (editing ? change(undefined) : setEdit(false))} />;
  const words = [line.of && !prop ? `${line.of}.` : "", prop?.label ?? line.prop, line.op ? ` ${schema.ops[line.op] ?? line.op} ` : "", line.value === undefined ? "" : String(line.value)].join("");
  return (
    <>
      <button type="button" className="chip" title={prop?.sentence} onClick={() => setEdit(true)}>{words}</button>
      <Button size="compact-xs" variant="subtle" aria-label={`Turn ${words} around`} onClick={() => change({ not: line })}>not</Button>
      <Button size="compact-xs" variant="subtle" aria-label={`Add another way to ${words}`} onClick={() => change({ or: [line, { ...line }] })}>or</Button>
      {remove}
    </>
  );
}

function Editor({ schema, kind, prop, line, done, cancel }: { schema: Schemas["Schema"]; kind?: Schemas["KindInfo"]; prop: Schemas["PropertyChoice"]; line: Expr; done: (l: Expr) => void; cancel: () => void }) {
  const [op, setOp] = useState(line.op ?? "=");
  const [typed, setTyped] = useState(line.value === undefined ? "" : Array.isArray(line.value) ? line.value.join(", ") : String(line.value));
  const values = api.useQuery("post", "/query/values", { body: { of: kind?.name ?? "", prop: prop.name, contains: typed } }, { enabled: kind !== undefined && !prop.enum, placeholderData: (old) => old });
  const bare = op === "" || op.startsWith("IS ");
  const counts = new Map(values.data?.values.map((v) => [v.value, v.count]));
  const commit = (text: string) => {
    const next: Expr = { ...line, op };
    if (bare) delete next.value; else next.value = value(prop.type, op, text);
    if (op === "") delete next.op;
    if (bare || text.trim() !== "") done(next);
  };
  return (
    <form className="chips" onSubmit={(e) => { e.preventDefault(); commit(typed); }} onKeyDown={(e) => { if (e.key === "Escape") cancel(); }}>
      <span className="chip" title={prop.sentence}>{prop.label}</span>
      <NativeSelect size="xs" aria-label={`How ${prop.label} compares`} value={op} data={prop.ops.map((o) => ({ value: o, label: schema.ops[o] ?? (o || "is true") }))} onChange={(e) => setOp(e.currentTarget.value)} />
      {!bare && (prop.enum && op !== "IN"
        ? <NativeSelect size="xs" autoFocus aria-label={prop.label} value={typed} data={["", ...prop.enum]} onChange={(e) => { setTyped(e.currentTarget.value); commit(e.currentTarget.value); }} />
        : <Autocomplete size="xs" autoFocus aria-label={`Value of ${prop.label}`} placeholder="value" value={typed} onChange={setTyped} filter={({ options }) => options}
            data={[...counts.keys()]} renderOption={({ option }) => <span className="value">{option.value}<small>{counts.get(option.value)}</small></span>} />)}
      <Button size="compact-xs" type="submit">Done</Button>
    </form>
  );
}

function value(type: string, op: string, text: string): unknown {
  const one = (t: string): unknown => (type === "int" || type === "float" ? Number(t) : type === "bool" ? t === "true" : t);
  return op === "IN" && type !== "list" ? text.split(",").map((t) => one(t.trim())) : one(text.trim());
}

/** A sub-pattern in words; it is edited as text. */
function pattern(schema: Schemas["Schema"], line: Expr): string {
  const rel = line.exists ?? line.count;
  const edge = schema.edges[rel?.edge[0] ?? ""];
  const words = `${(rel?.dir === "out" ? edge?.verb : edge?.inverse) ?? ""} ${rel?.to.kinds?.map((k) => schema.kinds[k]?.plural ?? k).join(" or ") ?? "anything"}`;
  return line.count ? `${words}: count ${line.op ?? ""} ${String(line.value)}` : `${words}${rel?.to.where ? " (with conditions, see the text)" : ""}`;
}
