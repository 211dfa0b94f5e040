import { Button } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { Section } from "../../components/Page";
import { Severity } from "../../components/Scale";
import { count } from "../../lib/format";
import { pathVulnerabilities, thingPage } from "../../lib/links";

/** The vulnerabilities that open the path, to choose from. */
export function Vulnerabilities({ path }: { path: Schemas["Path"] }) {
  const [chosen, choose] = useState<string>();
  if (path.vulnerabilities.length === 0) return null;
  return (
    <Section title={`Vulnerabilities (${count(path.vulnerabilitiesTotal)})`}>
      <div className="scroll short" role="region" aria-label="Vulnerabilities on this path" tabIndex={0}>
        <table>
          <thead><tr><th scope="col">Choose</th><th scope="col">Severity</th><th scope="col">CVE</th><th scope="col">Package</th><th scope="col">Fixed in</th><th scope="col">Known</th></tr></thead>
          <tbody>{path.vulnerabilities.map((v) => (
            <tr key={`${v.id}${v.package}${v.image}`}>
              <td><input type="radio" name="vulnerability" aria-label={`Choose ${v.id}`} checked={chosen === v.id} onChange={() => choose(v.id)} /></td>
              <td><Severity level={v.severity} /></td><td title={v.title}><Link to={thingPage("Vulnerability", v.id)}>{v.id}</Link></td><td>{v.package} {v.installed}</td><td>{v.fixed || "no fix yet"}</td>
              <td>{[v.kev && "exploited", v.rce && "remote code execution"].filter(Boolean).join(", ")}</td>
            </tr>
          ))}</tbody>
        </table>
      </div>
      <Button mt="xs" size="xs" variant="default" renderRoot={(p) => <Link {...p} to={pathVulnerabilities(path.cluster, path.id, chosen)} />}>Open the vulnerability page</Button>
    </Section>
  );
}
