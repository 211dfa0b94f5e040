import { useSearchParams } from "react-router";

/** A view's place in the URL with some of it changed; what is empty is left out. */
export function changed(params: URLSearchParams, to: Record<string, string | undefined>): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(to))
    if (value) next.set(name, value);
    else next.delete(name);
  return next;
}

/** What the URL asks a list for: words that the server knows, and nothing else. */
export function useAsked() {
  const [params] = useSearchParams();
  return {
    get: (name: string) => params.get(name) || undefined,
    flag: (name: string) => params.get(name) === "true" || undefined,
    one: <T extends string>(name: string, of: readonly T[]) => of.find((v) => v === params.get(name)),
    any: <T extends string>(name: string, of: readonly T[]) => {
      const some = of.filter((v) => params.getAll(name).includes(v));
      return some.length ? some : undefined;
    },
  };
}
