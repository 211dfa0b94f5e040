import { Link, useSearchParams } from "react-router";
import { api } from "../../api/client";
import { ChoiceFilter, TextFilter } from "../../components/Filters";
import { Page } from "../../components/Page";
import { Severity } from "../../components/Scale";
import { Answered, Empty, Partial } from "../../components/States";
import { Table } from "../../components/Table";
import { count, plural } from "../../lib/format";
import { pathPage, thingPage } from "../../lib/links";

const yes = (label: string) => [{ value: "true", label }];

/** Vulnerabilities in images, worst first; with a path in the URL, those that open it. */
export function VulnerabilitiesPage() {
  const [params] = useSearchParams();
  const get = (name: string) => params.get(name) ?? undefined;
  const flag = (name: string) => params.get(name) === "true" || undefined;
  const found = api.useQuery("get", "/vulnerabilities", { params: { query: {
    q: get("q"), severity: get("severity"), image: get("image"), package: get("package"), cluster: get("cluster"), path: get("path"),
    kev: flag("kev"), rce: flag("rce"), fixable: flag("fixable"), running: flag("running"), cursor: get("cursor"), limit: 500,
  } } }, { placeholderData: (old) => old });
  const schema = api.useQuery("get", "/schema", {}, { staleTime: Infinity });
  const filters = (
    <>
      <TextFilter name="q" label="CVE, title or package" />
      <ChoiceFilter name="severity" label="Any severity" choices={(schema.data?.severities ?? []).map((s) => ({ value: s, label: `at least ${s}` })).reverse()} />
      <ChoiceFilter name="kev" label="Exploited or not" choices={yes("known exploited")} />
      <ChoiceFilter name="rce" label="Any effect" choices={yes("remote code execution")} />
      <ChoiceFilter name="fixable" label="Fix or none" choices={yes("has a fix")} />
      <ChoiceFilter name="running" label="Running or not" choices={yes("in running images")} />
    </>
  );
  return (
    <Page title="Vulnerabilities" aside={filters}>
      <Answered asked={found}>{(list) => (
        <>
          {list.path && <p>Those that open <Link to={pathPage(list.path)}>{list.path.title}</Link>. <Link to="/vulnerabilities">Show all</Link></p>}
          <p className="counts" role="status">{count(list.items.length)} of {count(list.total)} shown</p>
          {list.unscanned > 0 && <Partial>{plural(list.unscanned, "image")} {list.unscanned === 1 ? "was" : "were"} never scanned and may have more. <Link to="/images?state=unknown">Which?</Link></Partial>}
          {list.items.length === 0 ? <Empty title="No vulnerability matches">None of the scanned images has one that fits this filter.</Empty> : (
            <Table label="Vulnerabilities" rows={list.items} rowKey={(v) => v.id} columns={[
              { title: "Severity", cell: (v) => <Severity level={v.severity} /> },
              { title: "CVE", cell: (v) => <Link to={thingPage("Vulnerability", v.id)}>{v.id}</Link> },
              { title: "Title", cell: (v) => <span title={v.title}>{v.title}</span> },
              { title: "Package", cell: (v) => v.packages.join(", ") },
              { title: "Known", cell: (v) => [v.kev && "exploited", v.rce && "remote code", v.fixable && "fix"].filter(Boolean).join(", ") },
              { title: "Images", number: true, cell: (v) => <Link to={`/explorer?q=${encodeURIComponent(`MATCH (i:Image)\nMATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id = '${v.id}'`)}`}>{count(v.running)} of {count(v.images)} running</Link> },
              { title: "Exposed pods", number: true, cell: (v) => `${count(v.exposed)} of ${count(v.pods)}` },
              { title: "Paths", number: true, cell: (v) => <Link to={`/paths?vulnerability=${encodeURIComponent(v.id)}`}>{count(v.paths)}</Link> },
            ]} />
          )}
        </>
      )}</Answered>
    </Page>
  );
}
