import { Button } from "@mantine/core";
import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Ago, Until } from "../../components/Ago";
import { Gaps } from "../../components/Gaps";
import { Page, Section } from "../../components/Page";
import { Answered, Empty, Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { count, plural } from "../../lib/format";
import { connectRegistry, registryPage } from "../../lib/links";
import { shortReason } from "../../lib/text";
import { Account, busy } from "./State";

type Registry = Schemas["Registry"];

const listed = (r: Registry, state: "failed" | "unsupported") =>
  r.images[state] > 0 ? <Link to={registryPage(r.host, { state })}>{count(r.images[state])}</Link> : "0";

const columns: Column<Registry>[] = [
  {
    title: "Registry",
    cell: (r) => (
      <>
        <Link to={registryPage(r.host)}>{r.host}</Link>
        <small className="onlynarrow">
          {count(r.images.done)} of {plural(r.images.total, "image")} read
        </small>
      </>
    ),
    by: (r) => r.host,
  },
  {
    title: "State",
    wraps: true,
    cell: (r) => (
      <>
        {r.state}
        {r.why && <small title={r.why}> {shortReason(r.why)}</small>}
      </>
    ),
    by: (r) => r.state,
  },
  { title: "Signs in as", from: "widest", cell: (r) => <Account of={r} />, by: (r) => r.account },
  {
    title: "Repositories",
    number: true,
    from: "medium",
    cell: (r) => <Link to={registryPage(r.host)}>{count(r.repositories)}</Link>,
    by: (r) => r.repositories,
  },
  { title: "Tags", number: true, from: "widest", cell: (r) => count(r.tags), by: (r) => r.tags },
  {
    title: "Images read",
    number: true,
    from: "medium",
    cell: (r) => (
      <>
        <Link to={registryPage(r.host, { state: "done" })}>{count(r.images.done)}</Link>{" "}
        <small>of {count(r.images.total)}</small>
      </>
    ),
    by: (r) => r.images.done,
  },
  { title: "Failed", number: true, cell: (r) => listed(r, "failed"), by: (r) => r.images.failed },
  {
    title: "Unsupported",
    number: true,
    from: "wide",
    cell: (r) => listed(r, "unsupported"),
    by: (r) => r.images.unsupported,
  },
  {
    title: "Gaps",
    number: true,
    from: "wide",
    cell: (r) => (r.gaps.length ? <Link to={registryPage(r.host)}>{count(r.gaps.length)}</Link> : "0"),
    by: (r) => r.gaps.length,
  },
  {
    title: "Read",
    number: true,
    from: "medium",
    cell: (r) => (r.lastReadAt ? <Ago at={r.lastReadAt} /> : <span className="unknown">never</span>),
    by: (r) => (r.lastReadAt ? -Date.parse(r.lastReadAt) : undefined),
  },
  {
    title: "Next",
    number: true,
    from: "wide",
    cell: (r) => r.nextReadAt && <Until at={r.nextReadAt} />,
    by: (r) => (r.nextReadAt ? Date.parse(r.nextReadAt) : undefined),
  },
];

/** Connected registries: how far each was read, and what its account may not see. */
export function RegistriesPage() {
  const asked = api.useQuery(
    "get",
    "/registries",
    {},
    { refetchInterval: (q) => (q.state.data?.items.some(busy) ? 5_000 : false) },
  );
  const connect = (
    <Button component={Link} to={connectRegistry()} size="xs" variant="default">
      Connect a registry
    </Button>
  );
  return (
    <Page title="Registries" aside={connect}>
      <Answered asked={asked}>
        {(list) =>
          list.items.length === 0 ? (
            <None credentials={list.credentials} />
          ) : (
            <>
              <Counts of={list.items} />
              <Table label="Registries" rows={list.items} rowKey={(r) => r.host} columns={columns} />
              <Section title={`What could not be seen (${count(list.gaps.length)})`}>
                <Gaps gaps={list.gaps} none={readOf(list.items)} />
              </Section>
            </>
          )
        }
      </Answered>
    </Page>
  );
}

/** What is true where no list has a gap: images are read after they are listed. */
export function readOf(registries: Pick<Registry, "images">[]) {
  const unread = registries.reduce((n, r) => n + r.images.total - r.images.done, 0);
  return unread === 0
    ? "Everything that was asked for could be read."
    : `Everything that was asked for could be listed; ${plural(unread, "image")} of it ${unread === 1 ? "was" : "were"} not read.`;
}

function Counts({ of }: { of: Registry[] }) {
  const sum = (n: (r: Registry) => number) => of.reduce((all, r) => all + n(r), 0);
  const old = of.filter((r) => r.state === "refused" || r.state === "unreachable");
  return (
    <>
      <p className="counts" role="status">
        {plural(of.length, "registry", "registries")} · {count(sum((r) => r.images.done))} of{" "}
        {plural(
          sum((r) => r.images.total),
          "image",
        )}{" "}
        read
      </p>
      {old.length > 0 && (
        <Partial>
          {count(old.length)} of {plural(of.length, "registry", "registries")} cannot be read now and{" "}
          {old.length === 1 ? "is" : "are"} shown as when last read:{" "}
          {old.map((r, i) => (
            <span key={r.host}>
              {i > 0 && ", "}
              <Link to={registryPage(r.host)}>{r.host}</Link>
            </span>
          ))}
          .
        </Partial>
      )}
    </>
  );
}

function None({ credentials }: { credentials: string }) {
  return (
    <Empty title="No registry is connected">
      <p>
        What is in a registry, with its vulnerabilities and what to update, appears here before it runs.{" "}
        <Link to={connectRegistry()}>Connect a registry</Link>: what may be read is tried first.
      </p>
      <p>{credentials}</p>
    </Empty>
  );
}
