import { TextInput, Textarea } from "@mantine/core";
import type { Typed } from "./typed";

interface Props {
  typed: Typed;
  change: (part: Partial<Typed>) => void;
}

/** Which images of a registry are read, and when. */
export function PolicyFields({ typed, change }: Props) {
  return (
    <>
      <Textarea
        label="Repositories"
        autosize
        minRows={2}
        maxRows={8}
        value={typed.repositories}
        onChange={(e) => change({ repositories: e.currentTarget.value })}
        description="One a line; shop/* is all below shop, !shop/old-* leaves out. Empty: all that the registry lists."
      />
      <Textarea
        label="Tags"
        autosize
        minRows={1}
        maxRows={8}
        value={typed.tagNames}
        onChange={(e) => change({ tagNames: e.currentTarget.value })}
        description="One a line, such as v* or, to leave out, !*-debug. Empty: all."
      />
      <TextInput
        type="number"
        label="Tags of a repository, at most"
        min={0}
        step={1}
        value={typed.tags}
        onChange={(e) => change({ tags: e.currentTarget.value })}
        description="Those that sort highest as versions. Empty: as many as the server's bound allows."
      />
      <TextInput
        label="Made within the last"
        placeholder="90d"
        value={typed.maxAge}
        onChange={(e) => change({ maxAge: e.currentTarget.value })}
        description="By what images say of themselves; one that does not say is read. Empty: however old."
      />
      <Textarea
        label="Platforms"
        placeholder="linux/arm64"
        autosize
        minRows={1}
        maxRows={4}
        value={typed.platforms}
        onChange={(e) => change({ platforms: e.currentTarget.value })}
        description="The most wanted first: images for none of them are left out. Empty: any, linux/amd64 first."
      />
      <TextInput
        label="Read again at most every"
        placeholder="6h"
        value={typed.every}
        onChange={(e) => change({ every: e.currentTarget.value })}
        description="Empty: as the server reads all registries."
      />
      <Textarea
        label="Read between"
        placeholder="22:00-06:00"
        autosize
        minRows={1}
        maxRows={4}
        value={typed.hours}
        onChange={(e) => change({ hours: e.currentTarget.value })}
        description="In UTC, one a line, such as sat-sun 00:00-24:00. What runs is read at any time. Empty: at any time."
      />
    </>
  );
}

/** How a registry is reached, where that is not straight and by an authority that everybody knows. */
export function WayFields({ typed, change }: Props) {
  return (
    <details open={Boolean(typed.mirror || typed.proxy || typed.authorities) || undefined}>
      <summary>Mirror, proxy and certificates</summary>
      <div className="connect">
        <TextInput
          label="Mirror"
          placeholder="mirror.example:5000"
          value={typed.mirror}
          onChange={(e) => change({ mirror: e.currentTarget.value })}
          description="Where it is reached instead."
        />
        <TextInput
          label="Proxy"
          placeholder="http://proxy.example:3128"
          value={typed.proxy}
          onChange={(e) => change({ proxy: e.currentTarget.value })}
          description="Through which proxy, or none. Empty: that of the server's environment."
        />
        <Textarea
          label="Certificates of its authority"
          placeholder="-----BEGIN CERTIFICATE-----"
          autosize
          minRows={2}
          maxRows={8}
          value={typed.authorities}
          onChange={(e) => change({ authorities: e.currentTarget.value })}
          description="PEM, of who may sign for this registry beside those that the server knows."
        />
      </div>
    </details>
  );
}
