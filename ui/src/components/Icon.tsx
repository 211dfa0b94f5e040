const shapes: Record<string, string> = {
  Internet: "M4 12a3 3 0 0 1 0-6 4 4 0 0 1 8-1 3.5 3.5 0 0 1 0 7z",
  Ingress: "M2 5h9M8 2l3 3-3 3M14 11H5M8 8l-3 3 3 3",
  Service: "M8 2l6 6-6 6-6-6z",
  NetworkPolicy: "M8 1.5l5.5 2v4.5c0 3.5-2.5 5.5-5.5 6.5-3-1-5.5-3-5.5-6.5V3.5z",
  Pod: "M8 1.5l5.5 3v7l-5.5 3-5.5-3v-7zM2.5 4.5L8 7.5l5.5-3M8 7.5v7",
  Container: "M2 4h12v8H2zM5 4v8M8 4v8M11 4v8",
  Process: "M2 3h12v10H2zM4.5 6l2 2-2 2M8 10h3.5",
  Address: "M8 14c-3-4-4.5-6-4.5-8a4.5 4.5 0 0 1 9 0c0 2-1.5 4-4.5 8zM8 7.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3",
  Image: "M8 2l6 3-6 3-6-3zM2 8l6 3 6-3M2 11l6 3 6-3",
  Package: "M2 5l6-3 6 3v6l-6 3-6-3zM2 5l6 3 6-3M8 8v6",
  Vulnerability: "M8 2l6.5 12h-13zM8 7v3M8 11.5v1",
  Node: "M3 2h10v5H3zM3 9h10v5H3zM5.5 4.5h1M5.5 11.5h1",
  Cluster: "M2 8a6 6 0 1 0 12 0 6 6 0 1 0-12 0M8 2v12M2 8h12",
  Namespace: "M5 2H2v12h3M11 2h3v12h-3",
  ServiceAccount: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2 15c0-4 3-5 6-5s6 1 6 5",
  User: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2 15c0-4 3-5 6-5s6 1 6 5",
  Group: "M6 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M1 14c0-3 2-4 5-4s5 1 5 4M11 8a2 2 0 1 0 0-4M12 10c2 0 3 1 3 4",
  Permission: "M6 10a3.5 3.5 0 1 1 2.5-1l6 6M11 12l2-2",
  Role: "M3 2h10v12H3zM6 6h4M6 9h4",
  ClusterRole: "M3 2h10v12H3zM6 6h4M6 9h4",
  RoleBinding: "M6 10L10 6M7 5l2-2a2.5 2.5 0 0 1 4 4l-2 2M9 11l-2 2a2.5 2.5 0 0 1-4-4l2-2",
  ClusterRoleBinding: "M6 10L10 6M7 5l2-2a2.5 2.5 0 0 1 4 4l-2 2M9 11l-2 2a2.5 2.5 0 0 1-4-4l2-2",
  Secret: "M4 7h8v7H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2",
  Volume: "M2 4c0-3 12-3 12 0v8c0 3-12 3-12 0zM2 4c0 3 12 3 12 0",
};

/** A kind's shape; kinds without one of their own are two squares, one in the other. */
export function Icon({ kind }: { kind: string }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden>
      <path d={shapes[kind] ?? "M2 2h12v12H2zM5 5h6v6H5z"} />
    </svg>
  );
}
