import { useSearchParams } from "react-router";
import { api } from "../../api/client";
import { ChoiceFilter, TextFilter } from "../../components/Filters";
import { Page } from "../../components/Page";
import { PathTable } from "../../components/PathTable";
import { Answered, Empty } from "../../components/States";
import { count } from "../../lib/format";

const statuses = ["active", "stale", "resolved"] as const;

/** Attack paths, worst first. The filter lives in the URL, so a view can be shared. */
export function PathsPage() {
  const [params] = useSearchParams();
  const get = (name: string) => params.get(name) ?? undefined;
  const status = statuses.filter((s) => params.getAll("status").includes(s));
  const paths = api.useQuery("get", "/paths", { params: { query: {
    status: status.length ? status : undefined, risk: get("risk"), type: get("type"), cluster: get("cluster"), namespace: get("namespace"),
    entity: get("entity"), vulnerability: get("vulnerability"), q: get("q"), cursor: get("cursor"), limit: 500,
  } } }, { placeholderData: (old) => old });
  const schema = api.useQuery("get", "/schema", {}, { staleTime: Infinity });
  const same = (list: readonly string[] = []) => list.map((v) => ({ value: v, label: v }));
  const filters = (
    <>
      <TextFilter name="q" label="Words in title or names" />
      <ChoiceFilter name="status" label="Open" choices={same(statuses)} />
      <ChoiceFilter name="risk" label="Any risk" choices={(schema.data?.risks ?? []).map((r) => ({ value: r, label: `at least ${r}` })).reverse()} />
      <ChoiceFilter name="type" label="Any type" choices={(schema.data?.pathTypes ?? []).map((t) => ({ value: t.id, label: t.title }))} />
    </>
  );
  return (
    <Page title="Attack paths" aside={filters}>
      <Answered asked={paths}>{(list) => (
        <>
          <p className="counts" role="status">{count(list.items.length)} of {count(list.total)} shown · {statuses.map((s) => `${count(list.counts[s] ?? 0)} ${s}`).join(" · ")}</p>
          {list.items.length ? <PathTable rows={list.items} /> : <Empty title="No attack path matches">No way from the internet was found for this filter. What could not be seen is listed under Coverage.</Empty>}
        </>
      )}</Answered>
    </Page>
  );
}
