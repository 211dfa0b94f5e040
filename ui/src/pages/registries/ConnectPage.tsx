import "./registries.css";
import { Button, Checkbox, TextInput, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Page, Section } from "../../components/Page";
import { Answered, Failed, LoadingThing } from "../../components/States";
import { registryPage } from "../../lib/links";
import { Account, Permissions } from "./State";

type Request = Schemas["RegistryRequest"];

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

/** What a person typed, as the server takes it. */
function request(host: string, repositories: string, tags: string, insecure: boolean): Request {
  return {
    host: host.trim(),
    repositories: repositories.split(/[\s,]+/).filter(Boolean),
    tags: Number(tags) || 0,
    insecure,
  };
}

function Form({ host: given, old, credentials }: { host: string; old?: Schemas["Registry"]; credentials: string }) {
  const [host, setHost] = useState(given);
  const [repositories, setRepositories] = useState(old?.filters.repositories.join("\n") ?? "");
  const [tags, setTags] = useState(String(old?.filters.tags || ""));
  const [insecure, setInsecure] = useState(old?.insecure ?? false);
  const wanted = request(host, repositories, tags, insecure);
  const go = useNavigate(),
    queries = useQueryClient();
  const check = api.useMutation("post", "/registries/check");
  const connect = api.useMutation("post", "/registries", {
    onSuccess: async (r) => {
      await queries.invalidateQueries({ predicate: (q) => String(q.queryKey[1]).startsWith("/regist") });
      void go(registryPage(r.host));
    },
  });
  // An answer to another question is not shown.
  const tried = JSON.stringify(check.variables?.body) === JSON.stringify(wanted) ? check : undefined;
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
          value={host}
          onChange={(e) => setHost(e.currentTarget.value)}
          description="Its host, as image names write it."
        />
        <Textarea
          label="Repositories"
          autosize
          minRows={2}
          maxRows={8}
          value={repositories}
          onChange={(e) => setRepositories(e.currentTarget.value)}
          description="One a line; shop/* is all below shop. Empty: all that the registry lists."
        />
        <TextInput
          type="number"
          label="Tags of a repository, at most"
          min={0}
          step={1}
          value={tags}
          onChange={(e) => setTags(e.currentTarget.value)}
          description="Those that sort highest as versions. Empty: as many as the server's bound allows."
        />
        <Checkbox
          label="It speaks plain HTTP"
          checked={insecure}
          onChange={(e) => setInsecure(e.currentTarget.checked)}
        />
        <p>
          <small>{credentials}</small>
        </p>
        <div className="buttons">
          <Button size="xs" type="submit" variant={answer ? "default" : "filled"} loading={check.isPending}>
            Check what may be read
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
      <div role="status">{answer && <Checked answer={answer} />}</div>
      {tried?.error && <Failed error={tried.error} />}
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
