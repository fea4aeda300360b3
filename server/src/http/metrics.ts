import type { MetricsPage } from "../observe/metrics.ts";
import { end } from "./answer.ts";
import type { Routes } from "./router.ts";

/** What Prometheus asks for. */
export function metricsRoutes(metrics: MetricsPage): Routes {
  return {
    "/metrics": {
      method: "GET",
      handle: async (_request, response) => {
        const body = Buffer.from(await metrics.text());
        response.writeHead(200, { "content-type": metrics.contentType, "content-length": body.length });
        end(response, body);
      },
    },
  };
}
