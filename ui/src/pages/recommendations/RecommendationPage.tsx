import { Button, CopyButton } from "@mantine/core";
import { Link, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Findings } from "../../components/Findings";
import { Page, Section } from "../../components/Page";
import { PathTable } from "../../components/PathTable";
import { Prose } from "../../components/Prose";
import { Ref } from "../../components/Ref";
import { Severity } from "../../components/Severity";
import { Answered, LoadingThing, Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { count, plural, short } from "../../lib/format";
import { recommendationList } from "../../lib/links";

type Data = Schemas["RecommendationPage"];

/** One update: what to do, where, and what that fixes. */
export function RecommendationPage() {
  const [params] = useSearchParams();
  const id = params.get("id") ?? "";
  const asked = api.useQuery("get", "/recommendation", { params: { query: { id } } });
  return (
    <Page
      title={asked.data?.row.title ?? "Recommendation"}
      aside={asked.data && <Severity level={asked.data.row.severity} />}
    >
      <Answered asked={asked} loading={<LoadingThing />}>
        {(data) => <Shown data={data} />}
      </Answered>
    </Page>
  );
}

function Shown({ data }: { data: Data }) {
  const { row } = data;
  const ids = new Set(data.findings.map((f) => f.vulnerability.id));
  return (
    <>
      <p className="counts" role="status">
        {row.about.map((about, i) => (
          <span key={about}>
            {i === 0 ? "In " : " and "}
            <Link to={recommendationList({ about })}>{`${about} images`}</Link>
          </span>
        ))}{" "}
        · {row.ecosystem}
        {row.exploited > 0 &&
          ` · ${count(row.exploited)} of ${plural(row.vulnerabilities, "vulnerability", "vulnerabilities")} known exploited`}
        {row.rce && " · lets a remote attacker run code"}
      </p>
      <Todo data={data} />
      {data.unfixed > 0 && (
        <Partial>
          {plural(data.unfixed, "vulnerability", "vulnerabilities")} of the same packages{" "}
          {data.unfixed === 1 ? "has" : "have"} no fix yet: this update does not help against{" "}
          {data.unfixed === 1 ? "it" : "them"}.
        </Partial>
      )}
      <Section title={`Where (${plural(data.images.length, "image")})`}>
        <Images rows={data.images} />
      </Section>
      <Section
        title={`What it fixes (${plural(ids.size, "vulnerability", "vulnerabilities")}, ${plural(data.findings.length, "finding")})`}
      >
        <Findings rows={data.findings} />
      </Section>
      {(["breaks", "lowers"] as const).map((effect) => (
        <Paths key={effect} data={data} effect={effect} />
      ))}
      <Section
        title={`Pods that run them (${count(data.pods.length)})`}
        aside={
          data.pods.length > 0 && (
            <small>
              {count(row.exposed)} of {count(row.pods)} exposed to the internet
            </small>
          )
        }
      >
        {data.pods.length ? <Pods rows={data.pods} /> : <p>No pod that was seen runs them.</p>}
      </Section>
    </>
  );
}

/** The advice in the server's words; they can be taken along. */
function Todo({ data: { row, text, packages } }: { data: Data }) {
  return (
    <Section
      title="What to do"
      aside={
        <CopyButton value={`${row.title}\n${text}`}>
          {({ copied, copy }) => (
            <Button size="compact-xs" w={64} variant="default" onClick={copy} aria-label={`Copy: ${row.title}`}>
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
      }
    >
      <p className="lead">
        <Prose text={text} />
      </p>
      <dl>
        <dt>Installed</dt>
        <dd>{row.installed.join(", ")}</dd>
        <dt>Update to</dt>
        <dd>{row.fixed} or later</dd>
        <dt>Packages</dt>
        <dd>{packages.join(", ")}</dd>
      </dl>
    </Section>
  );
}

const effects = { breaks: "Attack paths it breaks", lowers: "Attack paths it lowers" } as const;

function Paths({ data, effect }: { data: Data; effect: keyof typeof effects }) {
  const rows = data.paths.filter((p) => p.effect === effect).map((p) => p.path);
  if (rows.length === 0) return null;
  return (
    <Section
      title={`${effects[effect]} (${count(rows.length)} of ${count(data.paths.length)})`}
      aside={<small>{effect === "breaks" ? "Nothing else opens them." : "Other vulnerabilities open them too."}</small>}
    >
      <PathTable rows={rows} sort={`${effect}-sort`} />
    </Section>
  );
}

const images: Column<Data["images"][number]>[] = [
  { title: "Image", wraps: true, cell: (i) => <Ref to={i.image} />, by: (i) => i.image.name },
  { title: "Installed", cell: (i) => i.installed.join(", "), by: (i) => i.installed[0] },
  {
    title: "Layer",
    from: "wide",
    cell: (i) => (i.layer ? <code title={i.layer}>{short(i.layer)}</code> : <span className="unknown">unknown</span>),
    by: (i) => i.layer,
  },
  {
    title: "Built by",
    wraps: true,
    from: "medium",
    cell: (i) => (i.command ? <code>{i.command}</code> : <span className="unknown">unknown</span>),
    by: (i) => i.command,
  },
  { title: "Pods", number: true, cell: (i) => count(i.pods), by: (i) => i.pods },
];

function Images({ rows }: { rows: Data["images"] }) {
  return (
    <Table label="Images to update" sort="images-sort" short rows={rows} rowKey={(i) => i.image.id} columns={images} />
  );
}

const said = (exposed: boolean | null | undefined) =>
  exposed === true ? (
    "exposed to the internet"
  ) : exposed === false ? (
    "not exposed"
  ) : (
    <span className="unknown">unknown</span>
  );

const pods: Column<Data["pods"][number]>[] = [
  { title: "Pod", cell: (p) => <Ref to={p.pod} where={false} />, by: (p) => p.pod.name },
  { title: "Workload", from: "medium", cell: (p) => p.workload ?? "", by: (p) => p.workload },
  {
    title: "Where",
    from: "medium",
    cell: (p) => [p.pod.cluster, p.pod.namespace].filter(Boolean).join(" · "),
    by: (p) => `${p.pod.cluster} ${p.pod.namespace}`,
  },
  { title: "Exposure", cell: (p) => said(p.exposed), by: (p) => (p.exposed === null ? undefined : Number(!p.exposed)) },
];

function Pods({ rows }: { rows: Data["pods"] }) {
  return (
    <Table label="Pods that run them" sort="pods-sort" short rows={rows} rowKey={(p) => p.pod.id} columns={pods} />
  );
}
