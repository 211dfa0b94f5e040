import { useSearchParams } from "react-router";
import { api } from "../../api/client";
import type { Query } from "../../query/tree";

/** The question in the URL: a tree that the builder made, or a text that a link or the text pane brought. */
export function useQuestion() {
  const [params, setParams] = useSearchParams();
  const text = params.get("q") ?? "";
  const tree = parsed(params.get("tree"));
  const checked = api.useQuery("post", "/query/check", { body: tree ? { query: tree } : { text } }, { enabled: tree !== undefined || text !== "", placeholderData: (old) => old });
  const query = tree ?? (text ? checked.data?.query : undefined);
  return {
    query, checked,
    asked: tree !== undefined || text !== "",
    text: tree ? checked.data?.text ?? "" : text,
    setTree: (q: Query) => setParams({ tree: JSON.stringify(q) }),
    setText: (q: string) => setParams(q ? { q } : {}),
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
