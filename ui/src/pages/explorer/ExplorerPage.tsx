import "./explorer.css";
import { Button } from "@mantine/core";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { Page } from "../../components/Page";
import { WithPane } from "../../components/Pane";
import { Beside } from "../../components/Ref";
import { Answered, Failed } from "../../components/States";
import { count, plural } from "../../lib/format";
import { scoped } from "../../lib/scope";
import { setOrder } from "../../query/tree";
import { Builder } from "./Builder";
import { Columns } from "./Columns";
import { Details } from "./Details";
import { Emptied } from "./Emptied";
import { Cut, Results, Unseen } from "./Results";
import { Start } from "./Start";
import { TextPane } from "./TextPane";
import { useQuestion } from "./useQuestion";

const pageSize = 200;

/** Any question to the graph: built or written, both in sight; the URL is the question. */
export function ExplorerPage() {
  const asked = useQuestion();
  const schema = api.useQuery("get", "/schema", {}, { staleTime: Infinity });
  return (
    <Page title="Explorer" aside={asked.query && <Actions text={asked.text} clear={() => asked.setText("")} />}>
      <Answered asked={schema}>
        {(s) =>
          asked.asked ? (
            <Asked schema={s} {...asked} />
          ) : (
            <Start schema={s} choose={asked.setTree} chooseText={asked.setText} />
          )
        }
      </Answered>
    </Page>
  );
}

function Actions({ text, clear }: { text: string; clear: () => void }) {
  const [copied, setCopied] = useState(false);
  const share = async () => {
    await navigator.clipboard?.writeText(globalThis.location.href).catch(() => undefined);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <>
      <Button size="xs" variant="default" onClick={clear}>
        New
      </Button>
      <Button size="xs" variant="default" w={112} px={4} onClick={() => void share()}>
        {copied ? "Link copied" : "Share link"}
      </Button>
      <Button
        size="xs"
        variant="default"
        component="a"
        href={scoped(`/api/v1/query/export?text=${encodeURIComponent(text)}`)}
        download="answer.csv"
      >
        Export CSV
      </Button>
    </>
  );
}

function Asked({
  schema,
  query,
  checked,
  text,
  setTree,
  setText,
  skip,
  setSkip,
  beside,
  setBeside,
}: ReturnType<typeof useQuestion> & { schema: Schemas["Schema"] }) {
  const problems = checked.data?.problems ?? [];
  const answer = api.useQuery(
    "post",
    "/query",
    { body: { query: query ?? { find: {} }, skip, limit: pageSize } },
    {
      enabled: query !== undefined && checked.data !== undefined && problems.length === 0,
      placeholderData: (old) => old,
      retry: false,
    },
  );
  const kind = schema.kinds[query?.find.kinds?.[0] ?? ""];
  return (
    <Beside.Provider value={setBeside}>
      <WithPane pane={beside && <Details thing={beside} close={() => setBeside(undefined)} />}>
        <div className="asking">
          <div>{query && <Builder schema={schema} query={query} change={setTree} />}</div>
          <TextPane text={text} problems={problems} commit={setText} />
        </div>
        {checked.error && <Failed error={checked.error} retry={() => void checked.refetch()} />}
        {query && problems.length === 0 && (
          <Answered asked={answer}>
            {(a) =>
              "rows" in a ? (
                <div>
                  <div className="counts answer">
                    <span role="status">
                      {plural(a.roots, kind?.label.toLowerCase() ?? "thing", kind?.plural.toLowerCase())} ·{" "}
                      {plural(a.total, "row")} · {count(Math.max(1, Math.round(a.elapsedMs)))} ms
                    </span>
                    <Columns schema={schema} query={query} change={setTree} />
                    {a.total > pageSize && <Turn skip={skip} shown={a.rows.length} total={a.total} turn={setSkip} />}
                  </div>
                  <Cut answer={a} />
                  {a.rows.length > 0 ? (
                    <Results
                      answer={a}
                      schema={schema}
                      beside={beside}
                      order={(key) => setTree(setOrder(query, key))}
                    />
                  ) : (
                    <Emptied
                      schema={schema}
                      query={query}
                      unseen={a.gaps.length > 0 || a.partial !== ""}
                      change={setTree}
                    />
                  )}
                  <Unseen answer={a} />
                </div>
              ) : null
            }
          </Answered>
        )}
      </WithPane>
    </Beside.Provider>
  );
}

function Turn({
  skip,
  shown,
  total,
  turn,
}: {
  skip: number;
  shown: number;
  total: number;
  turn: (to: number) => void;
}) {
  return (
    <span>
      rows {count(skip + 1)} to {count(Math.min(total, skip + shown))}
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        disabled={skip === 0}
        onClick={() => turn(Math.max(0, skip - pageSize))}
      >
        Before
      </Button>
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        disabled={skip + pageSize >= total}
        onClick={() => turn(skip + pageSize)}
      >
        Next
      </Button>
    </span>
  );
}
