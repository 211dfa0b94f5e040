import { ActionIcon, Button, useMantineColorScheme } from "@mantine/core";
import { Spotlight, closeSpotlight, openSpotlight } from "@mantine/spotlight";
import { useState, type KeyboardEvent } from "react";
import { Link, NavLink, Navigate, Outlet, useNavigate } from "react-router";
import { api, server } from "./api/client";
import { useLive } from "./api/live";
import { Scale } from "./components/Scale";
import { ago, plural } from "./lib/format";
import { thingPage } from "./lib/links";

const pages = [["/", "Home"], ["/explorer", "Explorer"], ["/paths", "Attack paths"], ["/vulnerabilities", "Vulnerabilities"], ["/images", "Inventory"], ["/coverage", "Coverage"]] as const;

/** What is around every page: navigation, freshness, gaps, search. */
export function Shell() {
  const schema = api.useQuery("get", "/schema", {}, { staleTime: Infinity });
  const status = api.useQuery("get", "/status", {}, { refetchInterval: 15_000 });
  const { toggleColorScheme } = useMantineColorScheme();
  const live = useLive();
  const stamps = (status.data?.clusters ?? []).flatMap((c) => (c.asOf ? [c.asOf] : [])).sort();
  const signOut = async () => { await server.DELETE("/session"); globalThis.location.assign("/sign-in"); };
  if (status.error?.status === 401) return <Navigate to="/sign-in" replace />;
  return (
    <Scale.Provider value={schema.data ? [schema.data.severities, schema.data.risks] : []}>
      <a className="skip" href="#content">Skip to content</a>
      <header className="top">
        <Link to="/" className="brand">Breakwater</Link>
        <Button size="compact-sm" variant="default" onClick={openSpotlight}>Search anything <kbd>⌘K</kbd></Button>
        <span className="asof" role="status">
          {stamps[0] ? `as of ${ago(stamps[0])} ago` : "no cluster read yet"}{!live && " · not connected"}
          {" · "}<Link to="/coverage">{plural(status.data?.gaps.length ?? 0, "gap")}</Link>
        </span>
        <ActionIcon variant="default" aria-label="Dark or light" onClick={() => toggleColorScheme()}>◐</ActionIcon>
        <Button size="compact-sm" variant="subtle" onClick={() => void signOut()}>Sign out</Button>
      </header>
      <div className="body">
        <nav aria-label="Pages">{pages.map(([to, title]) => <NavLink key={to} to={to} end={to === "/"}>{title}</NavLink>)}</nav>
        <main id="content" tabIndex={-1}><Outlet /></main>
      </div>
      <Palette />
    </Scale.Provider>
  );
}

/** ⌘K: any thing by name, CVE, digest or address, and the pages. */
function Palette() {
  const [typed, setTyped] = useState("");
  const go = useNavigate();
  const hits = api.useQuery("get", "/search", { params: { query: { q: typed.trim() } } }, { enabled: typed.trim().length > 1, placeholderData: (old) => old });
  const words = typed.trim().toLowerCase();
  const actions = [
    ...pages.filter(([, title]) => title.toLowerCase().includes(words)).map(([to, title]) => ({ id: to, label: title, description: "Page", onClick: () => void go(to) })),
    ...(words.length > 1 ? hits.data ?? [] : []).map((h) => ({
      id: `${h.ref.kind} ${h.ref.id}`, label: h.ref.name || h.ref.id, description: [h.kindLabel, h.ref.cluster, h.ref.namespace, h.matched].filter(Boolean).join(" · "),
      onClick: () => void go(thingPage(h.ref.kind, h.ref.id)),
    })),
  ];
  /** Enter without a choice takes the first hit: the best one stands on top. */
  const enter = (e: KeyboardEvent<HTMLInputElement>) => {
    if (e.key !== "Enter" || document.querySelector(".mantine-Spotlight-action[data-selected]")) return;
    actions[0]?.onClick();
    closeSpotlight();
  };
  return <Spotlight actions={actions} query={typed} onQueryChange={setTyped} filter={(_, all) => all} nothingFound="Nothing of that name" shortcut={["mod + K"]} scrollable maxHeight={400}
    searchProps={{ placeholder: "Name, CVE, digest or address", "aria-label": "Search anything", onKeyDown: enter }} />;
}
