/** The dashboard: `app.tsx` is the place to begin reading. */
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/shell.css";
import "./style/controls.css";
import "./style/parts.css";
import "./style/windows.css";
import "./style/overview.css";
import "./style/lists.css";
import "./style/task.css";
import "./style/pages.css";
import { App } from "./app.tsx";
import { startLink } from "./live/link.ts";
import { startLocation } from "./location.ts";
import { applyTheme } from "./theme.ts";

applyTheme();
startLocation();
startLink();
const root = document.getElementById("app");
if (root) render(<App />, root);
