import "./registries.css";
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Page, Section } from "../../components/Page";
import { Answered, Failed, LoadingThing } from "../../components/States";
import { registryPage } from "../../lib/links";
import { PolicyFields, WayFields } from "./Fields";
import { Previewed } from "./Previewed";
import { Account, Permissions } from "./State";
import { asked as askedFor, typedOf, type Typed } from "./typed";

/** Connects a registry, or with a host in the URL changes what is read of it. What may be read is tried before. */
export function ConnectPage() {
  const [params] = useSearchParams();
  const host = params.get("host") ?? "";
  const asked = api.useQuery("get", "/registries");
  return (
    <Page
      title={host ? `Change what is read of ${host}` : "Connect a registry"}
      aside={<Link to={host ? registryPage(host) : "/registries"}>Back</Link>}
    >
      <Answered asked={asked} loading={<LoadingThing />}>
        {(list) => (
          <Form key={host} host={host} old={list.items.find((r) => r.host === host)} credentials={list.credentials} />
        )}
      </Answered>
    </Page>
  );
}

function Form({ host: given, old, credentials }: { host: string; old?: Schemas["Registry"]; credentials: string }) {
  const [typed, setTyped] = useState<Typed>(() => typedOf(given, old));
  const change = (part: Partial<Typed>) => setTyped((t) => ({ ...t, ...part }));
  const wanted = askedFor(typed);
  const go = useNavigate(),
    queries = useQueryClient();
  const check = api.useMutation("post", "/registries/check");
  const preview = api.useMutation("post", "/registries/preview");
  const connect = api.useMutation("post", "/registries", {
    onSuccess: async (r) => {
      await queries.invalidateQueries({ predicate: (q) => String(q.queryKey[1]).startsWith("/regist") });
      void go(registryPage(r.host));
    },
  });
  // An answer to another question is not shown.
  const same = (body: unknown) => JSON.stringify(body) === JSON.stringify(wanted);
  const tried = same(check.variables?.body) ? check : undefined;
  const shown = same(preview.variables?.body) ? preview : undefined;
  const answer = tried?.data;
  return (
    <>
      <form
        className="connect"
        onSubmit={(e) => {
          e.preventDefault();
          check.mutate({ body: wanted });
        }}
      >
        <TextInput
          label="Registry"
          placeholder="registry.example:5000"
          required
          withAsterisk={false}
          autoFocus={!given}
          readOnly={given !== ""}
          value={typed.host}
          onChange={(e) => change({ host: e.currentTarget.value })}
          description="Its host, as image names write it."
        />
        <PolicyFields typed={typed} change={change} />
        <Checkbox
          label="It speaks plain HTTP"
          checked={typed.insecure}
          onChange={(e) => change({ insecure: e.currentTarget.checked })}
        />
        <WayFields typed={typed} change={change} />
        <p>
          <small>{credentials}</small>
        </p>
        <div className="buttons">
          <Button size="xs" type="submit" variant={answer ? "default" : "filled"} loading={check.isPending}>
            Check what may be read
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={!wanted.host}
            loading={preview.isPending}
            onClick={() => preview.mutate({ body: wanted })}
          >
            Show what would be read
          </Button>
          <Button
            size="xs"
            variant={answer ? "filled" : "default"}
            disabled={!wanted.host}
            loading={connect.isPending}
            onClick={() => connect.mutate({ body: wanted })}
          >
            {old ? "Save" : answer && !answer.ok ? "Connect all the same" : "Connect"}
          </Button>
        </div>
      </form>
      <div role="status">
        {answer && <Checked answer={answer} />}
        {shown?.data && <Previewed of={shown.data} />}
      </div>
      {tried?.error && <Failed error={tried.error} />}
      {shown?.error && <Failed error={shown.error} />}
      {connect.error && <Failed error={connect.error} />}
    </>
  );
}

function Checked({ answer }: { answer: Schemas["RegistryCheck"] }) {
  return (
    <Section title={answer.ok ? "Everything that was tried may be read" : "Not everything may be read"}>
      <p>
        Signs in as <Account of={answer} />
      </p>
      <Permissions of={answer.permissions} />
    </Section>
  );
}
