import { Link, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Ago } from "../../components/Ago";
import { Findings } from "../../components/Findings";
import { Page, Section } from "../../components/Page";
import { PathTable } from "../../components/PathTable";
import { Reason } from "../../components/Reason";
import { Ref, Refs } from "../../components/Ref";
import { Severity } from "../../components/Severity";
import { Answered, LoadingThing, Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { count, plural, short } from "../../lib/format";
import { acceptance, imageBases, imageComparison, thingPage, vulnerabilityList } from "../../lib/links";
import { scoped } from "../../lib/scope";
import { sentence } from "../../lib/text";
import { Recommended } from "../recommendations/Recommended";

type Package = Schemas["ImagePackage"];

/** One image: what is in it, what is wrong with it, what runs it. */
export function ImagePage() {
  const [params] = useSearchParams();
  const id = params.get("id") ?? "";
  const asked = api.useQuery("get", "/image", { params: { query: { id } } });
  return (
    <Page title={asked.data?.row.name ?? short(id)} aside={asked.data && <Severity level={asked.data.row.severity} />}>
      <Answered asked={asked} loading={<LoadingThing />}>
        {(image) => <Shown image={image} />}
      </Answered>
    </Page>
  );
}

function Shown({ image }: { image: Schemas["ImagePage"] }) {
  const { row } = image;
  return (
    <>
      <p className="counts">
        {row.distribution || "distribution unknown"}
        {image.platform && ` · ${image.platform}`}
        {row.toldBy ? (
          <>
            {" "}
            · assessed from an upload by the token of {row.toldBy}
            {row.toldAt && (
              <>
                , <Ago at={row.toldAt} /> ago
              </>
            )}
            , not from the registry
          </>
        ) : (
          row.scannedAt && (
            <>
              {" "}
              · read <Ago at={row.scannedAt} /> ago
            </>
          )
        )}{" "}
        · {row.running ? plural(row.pods, "pod") : "not running"}
        <br />
        <code title={row.id}>{short(row.id)}</code>
      </p>
      <Exports id={row.id} />
      <p>
        <Link to={imageComparison({ base: row.id })}>Compare with another tag …</Link>{" "}
        <Link to={imageBases(row.id)}>Which other base fixes most …</Link>
      </p>
      {row.state !== "done" && (
        <Partial>
          <b>{sentence(`Scan: ${row.state}`)}</b> {row.error && <Reason why={row.error} />} What is in it is unknown,
          which does not mean that it is clean.
        </Partial>
      )}
      {image.gaps.map((g, i) => (
        <Partial key={i}>
          <b>{sentence(g.what)}</b> <Reason why={g.why} /> {sentence(g.consequence)}
        </Partial>
      ))}
      {image.findings.length > 0 && (
        <Recommended of={{ image: row.id }} none="No update fixes what was found in it yet." />
      )}
      <Section
        title={`Findings (${count(image.findings.length)})`}
        aside={
          image.findings.length > 0 && (
            <>
              <Link to={vulnerabilityList({ image: row.id })}>As vulnerabilities</Link>{" "}
              <Link to={acceptance({ digest: row.id })}>Accept some until a day …</Link>
            </>
          )
        }
      >
        {image.findings.length ? (
          <Findings rows={image.findings} without="image" />
        ) : (
          <p>
            {row.state !== "done"
              ? "Unknown until it is scanned."
              : row.partly
                ? "None known in what was read."
                : "No advisory that was imported speaks of its packages."}
          </p>
        )}
      </Section>
      {image.secrets.length > 0 && (
        <Section title={`Secrets left in it (${count(image.secrets.length)})`}>
          <p>
            Who can pull the image has them, also those that a layer above takes away: take them back where they were
            issued.
          </p>
          <Table
            label="Secrets"
            sort="secrets-sort"
            short
            rows={image.secrets}
            rowKey={(_, i) => String(i)}
            columns={secrets}
          />
        </Section>
      )}
      {image.dismissed.length > 0 && (
        <Section title={`Not affected (${count(image.dismissed.length)})`}>
          <p>Advisories speak of these packages, and that does not count.</p>
          <Table
            label="Not affected"
            sort="dismissed-sort"
            short
            rows={image.dismissed}
            rowKey={(_, i) => String(i)}
            columns={dismissals}
          />
        </Section>
      )}
      {image.paths.length > 0 && (
        <Section title={`Attack paths (${count(image.paths.length)})`}>
          <PathTable rows={image.paths} />
        </Section>
      )}
      <Section title={`Pods that run it (${count(image.pods.length)})`}>
        <Refs of={image.pods} none="No pod that was seen runs it." />
      </Section>
      {image.packages.length > 0 && (
        <Section title={`Packages (${count(image.packages.length)})`}>
          <Packages image={image} />
        </Section>
      )}
      {image.layers.length > 0 && (
        <Section title={`Layers (${count(image.layers.length)})`}>
          <ol>
            {image.layers.map((l) => (
              <li key={l.digest}>
                <code>{short(l.digest)}</code> · {plural(l.packages, "package")}{" "}
                {l.command && <small>{l.command}</small>}
              </li>
            ))}
          </ol>
        </Section>
      )}
    </>
  );
}

const formats = [
  ["cyclonedx", "CycloneDX"],
  ["spdx", "SPDX"],
  ["sarif", "SARIF"],
  ["junit", "JUnit"],
  ["gitlab", "GitLab"],
  ["json", "JSON"],
] as const;

/** What is known of the image, for other tools. */
function Exports({ id }: { id: string }) {
  return (
    <p>
      Export as{" "}
      {formats.map(([format, name], i) => (
        <span key={format}>
          {i > 0 && ", "}
          <a href={scoped(`/api/v1/report/image?id=${encodeURIComponent(id)}&format=${format}`)} download>
            {name}
          </a>
        </span>
      ))}
    </p>
  );
}

const secrets: Column<Schemas["SecretInImage"]>[] = [
  { title: "Secret", cell: (s) => <Ref to={s.secret} icon={false} />, by: (s) => s.kind },
  { title: "Where", wraps: true, cell: (s) => s.file, by: (s) => s.file },
  { title: "Layer", from: "wide", cell: (s) => short(s.layer ?? ""), by: (s) => s.layer },
  {
    title: "Note",
    wraps: true,
    cell: (s) =>
      [s.removed && "taken away by a layer above", s.published && "of a package that others have too"]
        .filter(Boolean)
        .join(", "),
    by: (s) => s.published,
  },
  { title: "Images", number: true, cell: (s) => count(s.images ?? 1), by: (s) => s.images },
];

const dismissals: Column<Schemas["Dismissed"]>[] = [
  { title: "CVE", cell: (d) => <Ref to={d.vulnerability} icon={false} />, by: (d) => d.vulnerability.name },
  {
    title: "Package",
    cell: (d) => (
      <>
        {d.package} <small>{d.installed}</small>
      </>
    ),
    by: (d) => d.package,
  },
  { title: "Why it does not count", wraps: true, cell: (d) => sentence(d.reason), by: (d) => d.reason },
];

/** source is the source package, or whose part a package of a language is. */
function source(p: Package) {
  if (p.ownedBy) return `part of ${decodeURIComponent(p.ownedBy.split("@")[0]!.split("/").at(-1)!)}`;
  return p.wanted ? "wanted, not seen installed" : (p.source ?? "");
}

function Packages({ image }: { image: Schemas["ImagePage"] }) {
  const found = (p: Package) => {
    if (p.ownedBy) return <span title="The advisories of the package that it is a part of speak of it.">–</span>;
    if (!p.vulnerabilities) return "0";
    return <Link to={vulnerabilityList({ image: image.row.id, package: p.name })}>{count(p.vulnerabilities)}</Link>;
  };
  const columns: Column<Package>[] = [
    {
      title: "Package",
      cell: (p) =>
        p.ownedBy ? (
          <span title={p.id}>{p.name}</span>
        ) : (
          <Link to={thingPage("Package", p.id)} title={p.id}>
            {p.name}
          </Link>
        ),
      by: (p) => p.name,
    },
    { title: "Version", cell: (p) => p.version, by: (p) => p.version },
    { title: "Source", from: "medium", cell: source, by: source },
    { title: "Layer", from: "wide", cell: (p) => short(p.layer ?? ""), by: (p) => p.layer },
    {
      title: "Files",
      number: true,
      from: "medium",
      cell: (p) => (p.files === undefined ? "" : count(p.files)),
      by: (p) => p.files,
    },
    { title: "Vulnerabilities", number: true, cell: found, by: (p) => p.vulnerabilities },
  ];
  return (
    <Table label="Packages" sort="packages-sort" short rows={image.packages} rowKey={(p) => p.id} columns={columns} />
  );
}
