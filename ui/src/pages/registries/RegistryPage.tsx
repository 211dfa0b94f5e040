import "./registries.css";
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Ago, Until } from "../../components/Ago";
import { Gaps } from "../../components/Gaps";
import { Page, Section } from "../../components/Page";
import { Reason } from "../../components/Reason";
import { Answered, Empty, LoadingThing, Partial } from "../../components/States";
import { count } from "../../lib/format";
import { connectRegistry } from "../../lib/links";
import { Images } from "./Images";
import { readOf } from "./RegistriesPage";
import { Account, Permissions, busy, policy, reached, wanted } from "./State";

type Registry = Schemas["Registry"];

/** One registry: what of it is read, what its account may not see, and where each image stands. */
export function RegistryPage() {
  const [params] = useSearchParams();
  const host = params.get("host") ?? "";
  const asked = api.useQuery(
    "get",
    "/registries",
    {},
    { refetchInterval: (q) => (q.state.data?.items.some((r) => r.host === host && busy(r)) ? 5_000 : false) },
  );
  const registry = asked.data?.items.find((r) => r.host === host);
  return (
    <Page title={host || "Registry"} aside={registry && <Actions of={registry} />}>
      <Answered asked={asked} loading={<LoadingThing />}>
        {() =>
          registry ? (
            <Shown r={registry} />
          ) : (
            <Empty title={`No registry ${host} is connected`}>
              What it holds appears here once it is. <Link to={connectRegistry()}>Connect it</Link>, or see{" "}
              <Link to="/registries">those that are</Link>.
            </Empty>
          )
        }
      </Answered>
    </Page>
  );
}

/** Read it again, change what is read, or forget it. */
function Actions({ of: r }: { of: Registry }) {
  const queries = useQueryClient(),
    go = useNavigate();
  const [sure, setSure] = useState(false);
  const again = () => queries.invalidateQueries({ predicate: (q) => String(q.queryKey[1]).startsWith("/regist") });
  const rescan = api.useMutation("post", "/registry/rescan", { onSuccess: again });
  const forget = api.useMutation("delete", "/registry", {
    onSuccess: async () => {
      await again();
      void go("/registries");
    },
  });
  const params = { query: { host: r.host } };
  const error = rescan.error ?? forget.error;
  if (sure) {
    return (
      <>
        <span>Forget it, and the images only it holds?</span>
        <Button size="xs" autoFocus loading={forget.isPending} onClick={() => forget.mutate({ params })}>
          Disconnect
        </Button>
        <Button size="xs" variant="default" onClick={() => setSure(false)}>
          Keep it
        </Button>
        {error && <span role="alert">{error.detail}</span>}
      </>
    );
  }
  return (
    <>
      <Button size="xs" variant="default" loading={rescan.isPending} onClick={() => rescan.mutate({ params })}>
        Read it again now
      </Button>
      {r.from === "portal" && (
        <Button component={Link} to={connectRegistry(r.host)} size="xs" variant="default">
          Change …
        </Button>
      )}
      {r.from === "portal" && (
        <Button size="xs" variant="default" onClick={() => setSure(true)}>
          Disconnect …
        </Button>
      )}
      {error && <span role="alert">{error.detail}</span>}
    </>
  );
}

const from: Record<Registry["from"], string> = {
  flag: "connected by a flag of the server, which takes it away again",
  file: "connected by the server's configuration file, which takes it away again",
  portal: "connected here",
};

function Shown({ r }: { r: Registry }) {
  return (
    <>
      <p className="counts" role="status">
        {r.state}
        {r.lastReadAt && (
          <>
            {" "}
            · read <Ago at={r.lastReadAt} /> ago
          </>
        )}
        {r.nextReadAt && (
          <>
            {" "}
            · again <Until at={r.nextReadAt} />
          </>
        )}{" "}
        · {from[r.from]}
        {r.pushes && (
          <>
            {" "}
            · {r.pushes.taken} pushes told, the last <Ago at={r.pushes.lastAt} /> ago
            {r.pushes.dropped > 0 && `, ${r.pushes.dropped} left to the next reading`}
          </>
        )}
      </p>
      {r.pushes?.why && (
        <Partial>
          <b>What was pushed could not be looked at.</b> <Reason why={r.pushes.why} /> The next reading finds it.
        </Partial>
      )}
      {r.why && (
        <Partial>
          <b>
            {r.state === "refused"
              ? "It refuses."
              : r.state === "unreachable"
                ? "It cannot be reached."
                : "Not all is well."}
          </b>{" "}
          <Reason why={r.why} /> {r.lastReadAt ? "What is shown is what was last read." : "Nothing was read of it yet."}
        </Partial>
      )}
      <Section title="Images">
        <Images host={r.host} />
      </Section>
      <div className="beside">
        <Section
          title="What may be read"
          aside={
            r.checkedAt && (
              <small>
                tried <Ago at={r.checkedAt} /> ago
              </small>
            )
          }
        >
          <Permissions of={r.permissions} />
        </Section>
        <Section title="What is read">
          <dl>
            <dt>Repositories</dt>
            <dd>{wanted(r)}</dd>
            {policy(r).map(([name, said]) => (
              <Fragment key={name}>
                <dt>{name}</dt>
                <dd>{said}</dd>
              </Fragment>
            ))}
            <dt>Found</dt>
            <dd>
              {count(r.repositories)} repositories, {count(r.tags)} tags
            </dd>
            <dt>Signs in as</dt>
            <dd>
              <Account of={r} />
            </dd>
            <dt>Transport</dt>
            <dd>{reached(r)}</dd>
          </dl>
        </Section>
      </div>
      <Section title={`What could not be seen (${count(r.gaps.length)})`}>
        <Gaps gaps={r.gaps} none={readOf([r])} />
      </Section>
    </>
  );
}
