import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { api } from "../../api/client";
import { Page } from "../../components/Page";
import { Answered, Empty, Failed } from "../../components/States";
import { count, plural } from "../../lib/format";
import { Builder } from "./Builder";
import { Results } from "./Results";
import { Start } from "./Start";
import { TextPane } from "./TextPane";
import { useQuestion } from "./useQuestion";

const pageSize = 200;

/** Any question to the graph: built or written, both in sight; the URL is the question. */
export function ExplorerPage() {
  const { query, checked, asked, text, setTree, setText } = useQuestion();
  const [params, setParams] = useSearchParams();
  const [copied, setCopied] = useState(false);
  const schema = api.useQuery("get", "/schema", {}, { staleTime: Infinity });
  const skip = Number(params.get("skip") ?? 0) || 0;
  const problems = checked.data?.problems ?? [];
  const answer = api.useQuery("post", "/query", { body: { query: query ?? { find: {} }, skip, limit: pageSize } },
    { enabled: query !== undefined && checked.data !== undefined && problems.length === 0, placeholderData: (old) => old, retry: false });
  const share = async () => {
    await navigator.clipboard?.writeText(globalThis.location.href).catch(() => undefined);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  const turn = (to: number) => setParams((p) => { const n = new URLSearchParams(p); n.set("skip", String(to)); return n; });
  const actions = query && (
    <Group gap="xs">
      <Button size="xs" variant="default" onClick={() => setText("")}>New</Button>
      <Button size="xs" variant="default" onClick={() => void share()}>{copied ? "Link copied" : "Share"}</Button>
      <Button size="xs" variant="default" component="a" href={`/api/v1/query/export?text=${encodeURIComponent(text)}`} download="answer.csv">Export CSV</Button>
    </Group>
  );
  return (
    <Page title="Explorer" aside={actions}>
      <Answered asked={schema}>{(s) => (
        <>
          {!asked ? <Start schema={s} choose={setTree} chooseText={setText} /> : (
            <div className="beside">
              <div>{query && <Builder schema={s} query={query} change={setTree} />}</div>
              <TextPane key={text} text={text} problems={problems} commit={setText} />
            </div>
          )}
          {checked.error && <Failed error={checked.error} retry={() => void checked.refetch()} />}
          {query && problems.length === 0 && (
            <Answered asked={answer}>{(a) => "rows" in a ? (
              <>
                <p className="counts" role="status">
                  {plural(a.roots, s.kinds[query.find.kinds?.[0] ?? ""]?.label.toLowerCase() ?? "thing")} · {plural(a.total, "row")} · {count(Math.max(1, Math.round(a.elapsedMs)))} ms
                  {a.total > pageSize && <> · rows {count(skip + 1)} to {count(Math.min(a.total, skip + a.rows.length))}
                    <Button size="compact-xs" variant="subtle" disabled={skip === 0} onClick={() => turn(Math.max(0, skip - pageSize))}>Before</Button>
                    <Button size="compact-xs" variant="subtle" disabled={skip + pageSize >= a.total} onClick={() => turn(skip + pageSize)}>Next</Button></>}
                </p>
                {a.rows.length > 0 ? <Results answer={a} schema={s} /> : <Empty title="Nothing matches">Take a condition away, or read below what could not be seen.</Empty>}
                <Results.Gaps answer={a} />
              </>) : null}
            </Answered>
          )}
        </>)}
      </Answered>
    </Page>
  );
}
