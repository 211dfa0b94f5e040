import { NativeSelect, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";

/** A text filter that lives in the URL. */
export function TextFilter({ name, label }: { name: string; label: string }) {
  const [params, setParams] = useSearchParams();
  const value = params.get(name) ?? "";
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => setParams((p) => with_(p, name, typed), { replace: true }), 200);
    return () => clearTimeout(timer);
  }, [typed, value, name, setParams]);
  return <TextInput size="xs" aria-label={label} placeholder={label} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} />;
}

/** One choice that lives in the URL; the empty one is "any". */
export function ChoiceFilter({ name, label, choices }: { name: string; label: string; choices: { value: string; label: string }[] }) {
  const [params, setParams] = useSearchParams();
  return (
    <NativeSelect size="xs" aria-label={label} value={params.get(name) ?? ""} data={[{ value: "", label }, ...choices]}
      onChange={(e) => { const v = e.currentTarget.value; setParams((p) => with_(p, name, v)); }} />
  );
}

function with_(params: URLSearchParams, name: string, value: string): URLSearchParams {
  const next = new URLSearchParams(params);
  next.delete("cursor");
  if (value) next.set(name, value); else next.delete(name);
  return next;
}
