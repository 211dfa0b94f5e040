import { useMemo, useState } from "react";
import { Button } from "@mantine/core";
import { Link, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Page, Section } from "../../components/Page";
import { Answered, Empty, Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural } from "../../lib/format";
import { thingPage } from "../../lib/links";
import { Flaws } from "./Flaws";

type Bump = Schemas["BaseBump"];

/** Which other tag of an image's base fixes most. */
export function BasesPage() {
  const [params] = useSearchParams();
  const id = params.get("id") ?? "";
  const asked = api.useQuery("get", "/image/bases", { params: { query: { id } } }, { retry: false });
  return (
    <Page title="Other bases">
      <Answered asked={asked}>{(r) => <Shown r={r} id={id} />}</Answered>
    </Page>
  );
}

function Shown({ r, id }: { r: Schemas["ImageBases"]; id: string }) {
  const [open, setOpen] = useState<string>();
  const chosen = r.bumps.find((b) => b.name === open);
  return (
    <>
      <p className="counts" role="status" aria-label="Base">
        <Link to={thingPage("Image", id)}>{r.image.reference}</Link>{" "}
        {r.base ? (
          <>
            is built on {r.base.id ? <Link to={thingPage("Image", r.base.id)}>{r.base.name}</Link> : r.base.name} (
            {r.base.how}).
          </>
        ) : (
          "is built on a base that is not known."
        )}{" "}
        {r.base && r.base.layers > 0 && (
          <>
            {plural(r.fromBase, "vulnerability comes", "vulnerabilities come")} with it, {count(r.own)} with the image's
            own layers.
          </>
        )}
      </p>
      {r.others.length > 0 && <p>The same layers have {r.others.map((o) => o.name).join("; ")}.</p>}
      {r.notKnown.map((text) => (
        <Partial key={text}>{text}</Partial>
      ))}
      {r.bumps.length > 0 ? (
        <Section title={`Were it built on another base (${count(r.bumps.length)})`}>
          <Bumps rows={r.bumps} open={setOpen} />
        </Section>
      ) : (
        <Empty title="No other base to try">
          No other image of the base's repository is known. <code>breakwater scan base</code> tries images that you
          name.
        </Empty>
      )}
      {chosen && (
        <Section title={`On ${chosen.name}`}>
          {chosen.notKnown.map((text) => (
            <Partial key={text}>{text}</Partial>
          ))}
          {chosen.removes.length > 0 && <Flaws label="Removes" rows={chosen.removes} />}
          {chosen.adds.length > 0 && <Flaws label="Adds" rows={chosen.adds} />}
        </Section>
      )}
    </>
  );
}

function Bumps({ rows, open }: { rows: Bump[]; open: (name: string) => void }) {
  const schema = useVocabulary();
  const columns = useMemo<Column<Bump>[]>(() => {
    const grave = [...(schema?.severities ?? [])].reverse();
    const tally = (all: Schemas["BaseFlaw"][]) =>
      grave
        .map((s) => [all.filter((f) => f.severity === s).length, s.toLowerCase()] as const)
        .filter(([n]) => n > 0)
        .map(([n, s]) => `${count(n)} ${s}`)
        .join(", ") || "none";
    const unless = (b: Bump, text: string) => (b.known ? text : <span className="unknown">unknown</span>);
    return [
      { title: "Base", cell: (b) => (b.id ? <Link to={thingPage("Image", b.id)}>{b.name}</Link> : b.name) },
      { title: "Distribution", from: "medium", cell: (b) => b.distribution ?? "" },
      { title: "Removes", wraps: true, cell: (b) => unless(b, tally(b.removes)) },
      { title: "Adds", wraps: true, cell: (b) => unless(b, tally(b.adds)) },
      { title: "Stay", number: true, cell: (b) => unless(b, count(b.stays)) },
      {
        title: "Details",
        wraps: true,
        cell: (b) =>
          b.known ? (
            <Button
              size="compact-xs"
              variant="default"
              onClick={() => open(b.name)}
              aria-label={`Details of ${b.name}`}
            >
              Which
            </Button>
          ) : (
            b.why
          ),
      },
    ];
  }, [schema, open]);
  return <Table label="Other bases" rows={rows} rowKey={(b) => b.id ?? b.name} columns={columns} />;
}
