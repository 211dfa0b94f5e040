import { useSearchParams } from "react-router";
import { api } from "../../api/client";
import { Findings, Refs } from "../../components/Findings";
import { Page, Section } from "../../components/Page";
import { PathTable } from "../../components/PathTable";
import { Severity } from "../../components/Scale";
import { Answered, Partial } from "../../components/States";
import { Table } from "../../components/Table";
import { count, moment, short } from "../../lib/format";

/** One image: what is in it, what is wrong with it, what runs it. */
export function ImagePage() {
  const [params] = useSearchParams();
  const id = params.get("id") ?? "";
  const asked = api.useQuery("get", "/image", { params: { query: { id } } });
  return (
    <Page title={asked.data?.row.name ?? short(id)} aside={asked.data && <Severity level={asked.data.row.severity} />}>
      <Answered asked={asked}>{(image) => (
        <>
          <p className="counts">{id} · {image.row.distribution || "distribution unknown"} · {image.platform}{image.row.scannedAt && ` · read ${moment(image.row.scannedAt)}`}</p>
          {image.row.state !== "done" && <Partial>This image is {image.row.state}{image.row.error ? `: ${image.row.error}` : ""}. What is in it is unknown, which does not mean that it is clean.</Partial>}
          {image.gaps.map((g, i) => <Partial key={i}>{g.what}: {g.why}. {g.consequence}</Partial>)}
          <Section title={`Findings (${count(image.findings.length)})`}>{image.findings.length ? <Findings rows={image.findings} /> : <p>{image.row.state === "done" ? "No advisory that was imported speaks of its packages." : "Unknown until it is scanned."}</p>}</Section>
          {image.paths.length > 0 && <Section title="Attack paths"><PathTable rows={image.paths} /></Section>}
          <Section title="Pods that run it"><Refs of={image.pods} none="No pod that was seen runs it." /></Section>
          {image.packages.length > 0 && <Section title={`Packages (${count(image.packages.length)})`}>
            <Table label="Packages" rows={image.packages} rowKey={(p) => p.id} columns={[
              { title: "Package", cell: (p) => <span title={p.id}>{p.name}</span> }, { title: "Version", cell: (p) => p.version }, { title: "Source", cell: (p) => p.source },
              { title: "Layer", cell: (p) => short(p.layer ?? "") }, { title: "Files", number: true, cell: (p) => (p.files === undefined ? "" : count(p.files)) }, { title: "Vulnerabilities", number: true, cell: (p) => count(p.vulnerabilities) },
            ]} />
          </Section>}
          <Section title={`Layers (${count(image.layers.length)})`}><ol>{image.layers.map((l) => <li key={l.digest}>{short(l.digest)} · {count(l.packages)} packages <small>{l.command}</small></li>)}</ol></Section>
        </>
      )}</Answered>
    </Page>
  );
}
