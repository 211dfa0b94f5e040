import { useSearchParams } from "react-router";

/** The fixes that are ticked live in the URL. */
export function useChosen() {
  const [params, setParams] = useSearchParams();
  const chosen = params.getAll("whatif");
  const toggle = (id: string) => {
    const next = new URLSearchParams(params);
    next.delete("whatif");
    for (const c of chosen.includes(id) ? chosen.filter((c) => c !== id) : [...chosen, id]) next.append("whatif", c);
    setParams(next, { replace: true, preventScrollReset: true });
  };
  return { chosen, toggle };
}
