import { useEffect } from "preact/hooks";
import { loadAddress } from "./api/grpcurl.ts";
import { startKeys } from "./keys.ts";
import { place } from "./location.ts";
import { Failures } from "./pages/failures/failures.tsx";
import { Overview } from "./pages/overview/overview.tsx";
import { Queues } from "./pages/queues/queues.tsx";
import { TaskPage } from "./pages/task/task-page.tsx";
import { Tasks } from "./pages/tasks/tasks.tsx";
import { Unknown } from "./pages/unknown.tsx";
import { Workers } from "./pages/workers/workers.tsx";
import { Confirm } from "./parts/confirm.tsx";
import { Toasts } from "./parts/toasts.tsx";
import { Away } from "./shell/away.tsx";
import { KeySheet } from "./shell/key-sheet.tsx";
import { Sidebar, Topbar } from "./shell/shell.tsx";

const VIEWS: Readonly<Record<string, () => preact.JSX.Element>> = {
  "/": Overview,
  "/ui/queues": Queues,
  "/ui/tasks": Tasks,
  "/ui/task": TaskPage,
  "/ui/failures": Failures,
  "/ui/workers": Workers,
};

export function App() {
  useEffect(() => {
    void loadAddress();
    return startKeys();
  }, []);
  const View = VIEWS[place.value.path] ?? Unknown;
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Sidebar />
      <div class="column">
        <Topbar />
        <main id="main" tabIndex={-1}>
          <Away />
          <View key={place.value.path} />
        </main>
      </div>
      <Toasts />
      <Confirm />
      <KeySheet />
    </div>
  );
}
