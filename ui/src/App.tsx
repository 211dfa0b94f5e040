import { MantineProvider, createTheme } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, useState } from "react";
import { Route, Routes } from "react-router";
import { Empty } from "./components/States";
import { HomePage } from "./pages/home/HomePage";
import { SignInPage } from "./pages/signin/SignInPage";
import { Shell } from "./shell/Shell";

// Home comes with the first script; the others, with their drawing and layout, when they are opened.
const ActivityPage = lazy(() => import("./pages/activity/ActivityPage").then((m) => ({ default: m.ActivityPage })));
const AlertPage = lazy(() => import("./pages/alerts/AlertPage").then((m) => ({ default: m.AlertPage })));
const AlertsPage = lazy(() => import("./pages/alerts/AlertsPage").then((m) => ({ default: m.AlertsPage })));
const ConnectPage = lazy(() => import("./pages/registries/ConnectPage").then((m) => ({ default: m.ConnectPage })));
const CoveragePage = lazy(() => import("./pages/coverage/CoveragePage").then((m) => ({ default: m.CoveragePage })));
const DiffPage = lazy(() => import("./pages/paths/DiffPage").then((m) => ({ default: m.DiffPage })));
const EntityPage = lazy(() => import("./pages/entity/EntityPage").then((m) => ({ default: m.EntityPage })));
const ExceptionsPage = lazy(() =>
  import("./pages/exceptions/ExceptionsPage").then((m) => ({ default: m.ExceptionsPage })),
);
const ExplorerPage = lazy(() => import("./pages/explorer/ExplorerPage").then((m) => ({ default: m.ExplorerPage })));
const BasesPage = lazy(() => import("./pages/images/BasesPage").then((m) => ({ default: m.BasesPage })));
const ImageDiffPage = lazy(() => import("./pages/images/ImageDiffPage").then((m) => ({ default: m.ImageDiffPage })));
const ImagePage = lazy(() => import("./pages/images/ImagePage").then((m) => ({ default: m.ImagePage })));
const ImagesPage = lazy(() => import("./pages/images/ImagesPage").then((m) => ({ default: m.ImagesPage })));
const PathPage = lazy(() => import("./pages/paths/PathPage").then((m) => ({ default: m.PathPage })));
const PathsPage = lazy(() => import("./pages/paths/PathsPage").then((m) => ({ default: m.PathsPage })));
const RecommendationPage = lazy(() =>
  import("./pages/recommendations/RecommendationPage").then((m) => ({ default: m.RecommendationPage })),
);
const RecommendationsPage = lazy(() =>
  import("./pages/recommendations/RecommendationsPage").then((m) => ({ default: m.RecommendationsPage })),
);
const RegistriesPage = lazy(() =>
  import("./pages/registries/RegistriesPage").then((m) => ({ default: m.RegistriesPage })),
);
const RegistryPage = lazy(() => import("./pages/registries/RegistryPage").then((m) => ({ default: m.RegistryPage })));
const TokensPage = lazy(() => import("./pages/tokens/TokensPage").then((m) => ({ default: m.TokensPage })));
const SensorsPage = lazy(() => import("./pages/sensors/SensorsPage").then((m) => ({ default: m.SensorsPage })));
const VulnerabilitiesPage = lazy(() =>
  import("./pages/vulnerabilities/VulnerabilitiesPage").then((m) => ({ default: m.VulnerabilitiesPage })),
);
const VulnerabilityPage = lazy(() =>
  import("./pages/vulnerabilities/VulnerabilityPage").then((m) => ({ default: m.VulnerabilityPage })),
);

const theme = createTheme({
  primaryColor: "dark",
  primaryShade: { light: 7, dark: 3 },
  autoContrast: true,
  defaultRadius: "sm",
  respectReducedMotion: true,
});

interface Refusal {
  status?: number;
  retryAfter?: number;
}

/** Asks a second time by itself, unless the asker has to do something or the server wants it much later. */
function once(failures: number, e: unknown): boolean {
  const { status, retryAfter = 0 } = (e as Refusal | null) ?? {};
  return failures < 1 && status !== 401 && status !== 413 && retryAfter <= 5;
}

export function App() {
  const [queries] = useState(
    () =>
      new QueryClient({
        defaultOptions: {
          queries: {
            retry: once,
            retryDelay: (_, e) => 1000 * ((e as Refusal | null)?.retryAfter ?? 1),
            staleTime: 5_000,
          },
        },
      }),
  );
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <Routes>
          <Route path="/sign-in" element={<SignInPage />} />
          <Route element={<Shell />}>
            <Route index element={<HomePage />} />
            <Route path="/explorer" element={<ExplorerPage />} />
            <Route path="/paths" element={<PathsPage />} />
            <Route path="/path" element={<PathPage />} />
            <Route path="/diff" element={<DiffPage />} />
            <Route path="/recommendations" element={<RecommendationsPage />} />
            <Route path="/recommendation" element={<RecommendationPage />} />
            <Route path="/vulnerabilities" element={<VulnerabilitiesPage />} />
            <Route path="/vulnerability" element={<VulnerabilityPage />} />
            <Route path="/exceptions" element={<ExceptionsPage />} />
            <Route path="/images" element={<ImagesPage />} />
            <Route path="/image" element={<ImagePage />} />
            <Route path="/image/diff" element={<ImageDiffPage />} />
            <Route path="/image/bases" element={<BasesPage />} />
            <Route path="/registries" element={<RegistriesPage />} />
            <Route path="/registries/connect" element={<ConnectPage />} />
            <Route path="/registry" element={<RegistryPage />} />
            <Route path="/sensors" element={<SensorsPage />} />
            <Route path="/tokens" element={<TokensPage />} />
            <Route path="/alerts" element={<AlertsPage />} />
            <Route path="/alert" element={<AlertPage />} />
            <Route path="/entity" element={<EntityPage />} />
            <Route path="/coverage" element={<CoveragePage />} />
            <Route path="/activity" element={<ActivityPage />} />
            <Route path="*" element={<Empty title="There is no such page" />} />
          </Route>
        </Routes>
      </QueryClientProvider>
    </MantineProvider>
  );
}
