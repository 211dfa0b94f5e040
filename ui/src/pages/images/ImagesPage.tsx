import { Link, useSearchParams } from "react-router";
import { api } from "../../api/client";
import { ChoiceFilter, TextFilter } from "../../components/Filters";
import { Page } from "../../components/Page";
import { Severity } from "../../components/Scale";
import { Answered, Empty } from "../../components/States";
import { Table } from "../../components/Table";
import { count } from "../../lib/format";
import { thingPage } from "../../lib/links";

const states = ["unknown", "queued", "scanning", "failed", "unsupported", "done"] as const;
const known = (n: number | null | undefined) => (n === null || n === undefined ? <span className="unknown">unknown</span> : count(n));

/** Container images, worst first; one that was never scanned is unknown, not clean. */
export function ImagesPage() {
  const [params] = useSearchParams();
  const get = (name: string) => params.get(name) ?? undefined;
  const images = api.useQuery("get", "/images", { params: { query: {
    q: get("q"), state: states.find((s) => s === get("state")), severity: get("severity"), cluster: get("cluster"), cursor: get("cursor"),
    running: get("running") === "true" || undefined, limit: 500,
  } } }, { placeholderData: (old) => old });
  const filters = (
    <>
      <TextFilter name="q" label="Name or digest" />
      <ChoiceFilter name="state" label="Any scan state" choices={states.map((s) => ({ value: s, label: s }))} />
      <ChoiceFilter name="running" label="Running or not" choices={[{ value: "true", label: "running" }]} />
    </>
  );
  return (
    <Page title="Inventory" aside={filters}>
      <Answered asked={images}>{(list) => (
        <>
          <p className="counts" role="status">{count(list.items.length)} of {count(list.total)} shown · {count(list.counts.done)} of {count(list.counts.total)} scanned · {count(list.counts.waiting)} waiting · {count(list.counts.failed)} failed</p>
          {list.items.length === 0 ? <Empty title="No image matches">Images appear when a pod uses them.</Empty> : (
            <Table label="Images" rows={list.items} rowKey={(i) => i.id} columns={[
              { title: "Highest", cell: (i) => <Severity level={i.severity} /> },
              { title: "Image", cell: (i) => <Link to={thingPage("Image", i.id)} title={i.id}>{i.name}</Link> },
              { title: "Scan", cell: (i) => <span title={i.error}>{i.state}</span> },
              { title: "Distribution", cell: (i) => i.distribution },
              { title: "Critical", number: true, cell: (i) => known(i.criticals) },
              { title: "High", number: true, cell: (i) => known(i.highs) },
              { title: "All", number: true, cell: (i) => known(i.vulnerabilities) },
              { title: "Packages", number: true, cell: (i) => known(i.packages) },
              { title: "Pods", number: true, cell: (i) => count(i.pods) },
            ]} />
          )}
        </>
      )}</Answered>
    </Page>
  );
}
