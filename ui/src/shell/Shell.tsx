import "./shell.css";
import { ActionIcon, Button, Menu, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { openSpotlight } from "@mantine/spotlight";
import { Suspense } from "react";
import { Link, NavLink, Navigate, Outlet } from "react-router";
import { api, server } from "../api/client";
import { useLive } from "../api/live";
import { Loading } from "../components/States";
import { Vocabulary } from "../components/Vocabulary";
import { Freshness, Scope } from "./Freshness";
import { sentence } from "../lib/text";
import { Palette } from "./Palette";
import { pages } from "./pages";

/** What is around every page: navigation, search, freshness and gaps. */
export function Shell() {
  const schema = api.useQuery("get", "/schema", {}, { staleTime: Infinity });
  const status = api.useQuery("get", "/status", {}, { refetchInterval: 15_000 });
  const live = useLive();
  // 421: the server was started again and has another name.
  if (status.error?.status === 401 || status.error?.status === 421) return <Navigate to="/sign-in" replace />;
  return (
    <Vocabulary.Provider value={schema.data}>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <header className="top">
        <Link to="/" className="brand">
          Breakwater
        </Link>
        <Scope status={status.data} />
        <Button size="compact-sm" variant="default" className="find" onClick={openSpotlight}>
          Search anything <kbd>⌘K</kbd>
        </Button>
        <Freshness status={status.data} live={live} />
        <Theme />
        <You />
      </header>
      {status.data?.noRoom && (
        <p role="alert" className="noroom">
          <b>A disk of the server is full.</b> {sentence(status.data.noRoom)} Events are refused and images wait until
          there is room; what you see is what was stored before. Free space on it, or keep less:{" "}
          <Link to="/coverage">what is stored</Link>.
        </p>
      )}
      <div className="body">
        <nav aria-label="Pages">
          {pages.map(([to, title]) => (
            <NavLink key={to} to={to} end={to === "/"}>
              {title}
            </NavLink>
          ))}
        </nav>
        <main id="content" tabIndex={-1}>
          <Suspense fallback={<Loading label="Loading the page" />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Palette />
    </Vocabulary.Provider>
  );
}

function Theme() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  const name = dark ? "Use the light theme" : "Use the dark theme";
  return (
    <ActionIcon
      variant="default"
      aria-label={name}
      title={name}
      onClick={() => setColorScheme(dark ? "light" : "dark")}
    >
      {dark ? "☀" : "☾"}
    </ActionIcon>
  );
}

function You() {
  const signOut = async () => {
    await server.DELETE("/session");
    globalThis.location.assign("/sign-in");
  };
  return (
    <Menu position="bottom-end" width={160}>
      <Menu.Target>
        <Button size="compact-sm" variant="subtle" color="gray" className="you">
          You ▾
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
