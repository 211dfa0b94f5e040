import { Button, CopyButton } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Page, Section } from "../../components/Page";
import { Severity } from "../../components/Scale";
import { Answered, Partial } from "../../components/States";
import { GraphView } from "../../graph/GraphView";
import { drawing } from "../../graph/model";
import { ago, moment, plural } from "../../lib/format";
import { Evidence } from "./Evidence";
import { Fixes } from "./Fixes";
import { Vulnerabilities } from "./Vulnerabilities";

/** One attack path: the picture, why we say so, and what to do. */
export function PathPage() {
  const [params] = useSearchParams();
  const path = api.useQuery("get", "/path", { params: { query: { cluster: params.get("cluster") ?? "", id: params.get("id") ?? "" } } });
  return (
    <Page title={path.data?.path.title ?? "Attack path"} aside={path.data && (
      <>
        <Severity level={path.data.path.risk} />
        <CopyButton value={globalThis.location.href}>{({ copied, copy }) => <Button size="xs" variant="default" onClick={copy}>{copied ? "Copied" : "Copy link"}</Button>}</CopyButton>
      </>
    )}>
      <Answered asked={path}>{(data) => <Shown data={data} />}</Answered>
    </Page>
  );
}

function Shown({ data }: { data: Schemas["PathPage"] }) {
  const { path } = data;
  const [chosen, choose] = useState<string>();
  const drawn = useMemo(() => drawing(path), [path]);
  return (
    <>
      <p className="counts" role="status">
        <Link to={`/paths?cluster=${encodeURIComponent(path.cluster)}`}>{path.cluster}</Link> · {path.namespace} · since <time dateTime={data.firstSeen} title={moment(data.firstSeen)}>{ago(data.firstSeen)}</time> ·{" "}
        <span className="status" data-status={data.status}>{data.status}</span> · {plural(path.pods, "pod")} in {plural(path.workloads, "workload")}
      </p>
      {data.staleReason && <Partial>Not judged again: {data.staleReason}</Partial>}
      {path.uncertain.map((u) => <Partial key={u}>{u}</Partial>)}
      <div className="withpane" onKeyDown={(e) => { if (e.key === "Escape") choose(undefined); }}>
        <GraphView drawing={drawn} chosen={chosen} choose={choose} fixed={data.status === "resolved"} />
        {chosen && <Evidence chosen={chosen} drawing={drawn} close={() => choose(undefined)} />}
      </div>
      <div className="beside">
        <Section title="Story"><ol>{path.story.map((s, i) => <li key={i}>{s}</li>)}</ol><p>{path.why}</p></Section>
        <Fixes fixes={path.fixes} />
      </div>
      <Vulnerabilities path={path} />
      <div className="beside">
        <Section title="Why this risk"><ul className="plain">{path.riskFactors.map((f) => <li key={f.name}><b>{f.points > 0 ? "+" : ""}{f.points}</b> {f.name} <small>{f.why}</small></li>)}</ul></Section>
        <Section title="History"><ul className="plain">{data.history.map((h, i) => <li key={i}><time dateTime={h.at}>{moment(h.at)}</time> {h.what}</li>)}</ul></Section>
      </div>
    </>
  );
}
