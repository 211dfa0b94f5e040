import { CloseButton, NativeSelect, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";
import { nameOf } from "../lib/format";
import { changed } from "../lib/url";

/** A text filter that lives in the URL. */
export function TextFilter({ name, label }: { name: string; label: string }) {
  const [params, setParams] = useSearchParams();
  const value = params.get(name) ?? "";
  const [typed, setTyped] = useState(value);
  const [from, setFrom] = useState(value);
  if (from !== value) {
    setFrom(value);
    setTyped(value);
  } // a link or "back" changed it
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => setParams((p) => changed(p, { [name]: typed }), { replace: true }), 200);
    return () => clearTimeout(timer);
  }, [typed, value, name, setParams]);
  return (
    <TextInput
      size="xs"
      className="filter text"
      aria-label={label}
      placeholder={label}
      value={typed}
      onChange={(e) => setTyped(e.currentTarget.value)}
    />
  );
}

/** One choice that lives in the URL; the empty one is "any". */
export function ChoiceFilter({
  name,
  label,
  choices,
}: {
  name: string;
  label: string;
  choices: { value: string; label: string }[];
}) {
  const [params, setParams] = useSearchParams();
  return (
    <NativeSelect
      size="xs"
      className="filter"
      aria-label={label}
      value={params.get(name) ?? ""}
      data={[{ value: "", label }, ...choices]}
      onChange={(e) => {
        const v = e.currentTarget.value;
        setParams((p) => changed(p, { [name]: v }));
      }}
    />
  );
}

/** The least severity or risk of a list, worst first; `of` is the server's order. */
export function AtLeast({ name, of = [] }: { name: string; of?: readonly string[] }) {
  const choices = of.map((value) => ({ value, label: `at least ${value}` })).reverse();
  return <ChoiceFilter name={name} label={`Any ${name}`} choices={choices} />;
}

/** Filters that a link brought and no control shows: each can be taken away. */
export function Scope({ names }: { names: Record<string, string> }) {
  const [params, setParams] = useSearchParams();
  const set = Object.entries(names).filter(([name]) => params.get(name));
  if (set.length === 0) return null;
  return (
    <div className="scope">
      Only{" "}
      {set.map(([name, label]) => (
        <span key={name} title={params.get(name) ?? ""}>
          {label} {nameOf(params.get(name) ?? "")}
          <CloseButton
            size="xs"
            aria-label={`Show every ${label}`}
            onClick={() => setParams((p) => changed(p, { [name]: undefined }))}
          />
        </span>
      ))}
    </div>
  );
}
