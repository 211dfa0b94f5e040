const shapes: Record<string, string> = {
  Internet: "M4 12a3 3 0 0 1 0-6 4 4 0 0 1 8-1 3 3 0 0 1 0 7z",
  Ingress: "M2 5h9M8 2l3 3-3 3M14 11H5M8 8l-3 3 3 3",
  Service: "M8 2l6 6-6 6-6-6z",
  Node: "M8 1l6 3.5v7L8 15l-6-3.5v-7z",
  Container: "M3 3h10v10H3z",
  Cluster: "M2 8a6 6 0 1 0 12 0 6 6 0 1 0-12 0M8 2v12M2 8h12",
  ServiceAccount: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2 15c0-4 3-5 6-5s6 1 6 5",
};

/** A kind's shape; kinds without one of their own are a double square. */
export function Icon({ kind }: { kind: string }) {
  return <svg className="icon" viewBox="0 0 16 16" aria-hidden><path d={shapes[kind] ?? "M2 2h12v12H2zM5 5h6v6H5z"} /></svg>;
}
