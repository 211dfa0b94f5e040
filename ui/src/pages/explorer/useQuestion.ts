import { useSearchParams } from "react-router";
import { api } from "../../api/client";
import type { Thing } from "../../components/Ref";
import { kindAndId } from "../../lib/format";
import { changed } from "../../lib/url";
import type { Query } from "../../query/tree";

/** The question in the URL: a tree that the builder made, or a text that a link or the text pane brought; and what stands beside it. */
export function useQuestion() {
  const [params, setParams] = useSearchParams();
  const text = params.get("q") ?? "";
  const tree = parsed(params.get("tree"));
  const checked = api.useQuery(
    "post",
    "/query/check",
    { body: tree ? { query: tree } : { text } },
    { enabled: tree !== undefined || text !== "", placeholderData: (old) => old },
  );
  const query = tree ?? (text ? checked.data?.query : undefined);
  const set = (name: string, value: string | undefined) =>
    setParams((p) => changed(p, { [name]: value }), { preventScrollReset: true });
  const at = params.get("at");
  return {
    query,
    checked,
    asked: tree !== undefined || text !== "",
    text: tree ? (checked.data?.text ?? "") : text,
    setTree: (q: Query) => setParams({ tree: JSON.stringify(q) }),
    setText: (q: string) => setParams(q ? { q } : {}),
    skip: Math.max(0, Number(params.get("skip") ?? 0) || 0),
    setSkip: (to: number) => set("skip", to ? String(to) : undefined),
    beside: at ? kindAndId(at) : undefined,
    setBeside: (t: Thing | undefined) => set("at", t && `${t.kind} ${t.id}`),
  };
}

function parsed(json: string | null): Query | undefined {
  if (!json) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && "find" in value ? (value as Query) : undefined;
  } catch {
    return undefined;
  }
}
