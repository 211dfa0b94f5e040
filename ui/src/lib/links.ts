import type { Schemas } from "../api/client";

type Params = Record<string, string | undefined>;

function link(page: string, params: Params): string {
  const search = new URLSearchParams();
  for (const [k, v] of Object.entries(params)) if (v) search.set(k, v);
  const text = search.toString();
  return text ? `${page}?${text}` : page;
}

/** The one page of a thing. */
export function thingPage(kind: string, id: string): string {
  if (kind === "Image") return link("/image", { id });
  if (kind === "Vulnerability") return link("/vulnerability", { id });
  return link("/entity", { kind, id });
}

/** What tells a path from all others. */
export const pathKey = (p: Pick<Schemas["PathRow"], "cluster" | "id">) => `${p.cluster}/${p.id}`;

export const pathPage = (p: Pick<Schemas["PathRow"], "cluster" | "id">, assume?: string) =>
  link("/path", { cluster: p.cluster, id: p.id, assume });

/** What the API calls a thing that an attacker is assumed to have; nothing for what nobody can be in. */
export function assumed(thing: Schemas["Ref"], family?: string): string | undefined {
  const place = thing.namespace ? `${thing.namespace}/` : "";
  if (family === "Workload") return `workload:${place}${thing.name}`;
  if (thing.kind === "Image") return `image:${thing.id}`;
  if (thing.kind === "Container") return `pod:${place}${thing.id.split("/").at(-2)}`;
  const word = {
    Pod: "pod",
    ServiceAccount: "sa",
    User: "user",
    Group: "group",
    Node: "node",
    Repository: "repository",
  }[thing.kind];
  return word && `${word}:${place}${thing.name}`;
}

export const alertPage = (a: Pick<Schemas["AlertRow"], "cluster" | "id">) =>
  link("/alert", { cluster: a.cluster, id: a.id });

export const recommendationPage = (id: string) => link("/recommendation", { id });

export const registryPage = (host: string, params: Params = {}) => link("/registry", { host, ...params });

/** The form that connects a registry, or changes what is read of one. */
export const connectRegistry = (host?: string) => link("/registries/connect", { host });

/** The form that accepts a vulnerability, filled with what is known of it. */
export const acceptance = (params: { vulnerability?: string; digest?: string; package?: string }) =>
  link("/exceptions", { add: "true", ...params });

/** The lists that counts open. */
export const pathList = (params: Params) => link("/paths", params);
export const comparison = (params: Params) => link("/diff", params);
export const imageComparison = (params: { base: string; head?: string }) => link("/image/diff", params);
export const imageBases = (id: string) => link("/image/bases", { id });
export const imageList = (params: Params) => link("/images", params);
export const vulnerabilityList = (params: Params) => link("/vulnerabilities", params);

export const sensorList = (params: Params) => link("/sensors", params);
export const recommendationList = (params: Params) => link("/recommendations", params);

export const question = (text: string) => link("/explorer", { q: text });

const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** Everything of a kind in a cluster, as a question. */
export const ofKind = (kind: string, cluster: string) =>
  question(`MATCH (x:${kind}) WHERE x.cluster = ${quoted(cluster)}\nRETURN x`);

const among = { running: "i.running", registry: "i.listed" };
const stands = {
  affected: "i.vulnerabilities > 0",
  clean: "i.vulnerabilities = 0 AND NOT i.partly",
  unknown: "(i.vulnerabilities IS NULL OR i.vulnerabilities = 0 AND i.partly)",
};

/** The images of a demand that stand so, as a question. */
export const imagesThat = (about: Schemas["About"], stand: keyof typeof stands) =>
  question(`MATCH (i:Image) WHERE ${among[about]} AND ${stands[stand]}\nRETURN i`);

/** The vulnerabilities of the images of a demand, as a question. */
export const vulnerabilitiesOf = (about: Schemas["About"]) =>
  question(
    `MATCH (i:Image) WHERE ${among[about]}\nMATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability)\nRETURN DISTINCT v`,
  );

/** The images with a vulnerability, and the pods that run them, as a question. */
export const carriersOf = (id: string) =>
  question(
    `MATCH (i:Image)\nMATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id = ${quoted(id)}\n` +
      "OPTIONAL MATCH (i)<-[:USES_IMAGE]-(c:Container)\nOPTIONAL MATCH (c)<-[:RUNS]-(p:Pod)\nRETURN DISTINCT i, p",
  );

/** The nodes that run what has a vulnerability, as a question. */
export const nodesWith = (id: string) =>
  question(
    `MATCH (n:Node)\nMATCH (n)-[:NODE_HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id = ${quoted(id)}\nRETURN DISTINCT n`,
  );

/** The exposed pods that run an image with a vulnerability, as a question. */
export const exposedTo = (id: string) =>
  question(
    [
      "MATCH (p:Pod) WHERE p.exposed",
      "MATCH (p)-[:RUNS]->(c:Container)",
      "MATCH (c)-[:USES_IMAGE]->(i:Image)",
      `MATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id = ${quoted(id)}`,
      "RETURN DISTINCT p, i",
    ].join("\n"),
  );
