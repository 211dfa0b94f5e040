import { useState } from "react";
import { useSearchParams } from "react-router";

/** The fixes that are ticked. They are in the URL, too, which follows: two quick ticks are both kept. */
export function useChosen() {
  const [params, setParams] = useSearchParams();
  const [chosen, setChosen] = useState(() => params.getAll("whatif"));
  const toggle = (id: string) => {
    const to = chosen.includes(id) ? chosen.filter((c) => c !== id) : [...chosen, id];
    setChosen(to);
    const next = new URLSearchParams(params);
    next.delete("whatif");
    for (const c of to) next.append("whatif", c);
    setParams(next, { replace: true, preventScrollReset: true });
  };
  return { chosen, toggle };
}
