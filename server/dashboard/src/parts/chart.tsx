/** Lines over the last hour. Their colours come from the style sheet, so that they follow its theme. */
import { useEffect, useRef, useState } from "preact/hooks";
import UPlot from "uplot";
import { now } from "../live/clock.ts";
import { theme } from "../theme.ts";
import { exact, UNKNOWN } from "./format.ts";

export interface Line<Point> {
  readonly name: string;
  readonly of: (point: Point) => number | null;
  /** The list that it counts. */
  readonly href: string;
}

interface ChartProps<Point> {
  readonly points: readonly Point[];
  readonly lines: readonly Line<Point>[];
  readonly text: (value: number) => string;
}

const HEIGHT = 220;
const HOUR_S = 3_600;
const SHORTEST_S = 300;

export function Chart<Point extends { readonly atMs: number }>({ points, lines, text }: ChartProps<Point>) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | undefined>(undefined);
  const [at, setAt] = useState<number | undefined>(undefined);
  const shown = (at === undefined ? undefined : points[at]) ?? points.at(-1);

  // The lines of a chart do not change; its colours do, with the theme.
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const made = new UPlot(options(element, lines.length, text, setAt), toData(points, lines), element);
    plot.current = made;
    const resizing = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resizing.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => made.redraw();
    scheme.addEventListener("change", redraw);
    return () => {
      scheme.removeEventListener("change", redraw);
      resizing.disconnect();
      made.destroy();
    };
  }, [theme.value]);
  useEffect(() => plot.current?.setData(toData(points, lines)), [points, lines]);

  return (
    <div class="chart">
      <ul class="legend">
        {lines.map(({ name, of, href }, i) => {
          const value = shown ? of(shown) : null;
          return (
            <li key={name}>
              <span class={`swatch line-${i}`} />
              <a href={href}>{name}</a> <b>{value === null ? UNKNOWN : text(value)}</b>
            </li>
          );
        })}
        <li class="muted legend-time">{shown && at !== undefined ? exact(shown.atMs).split(" · ")[0] : "now"}</li>
      </ul>
      <div ref={box} class="plot" role="img" aria-label={describe(points, lines, text)} />
    </div>
  );
}

/** For those who do not see it. */
function describe<Point>(
  points: readonly Point[],
  lines: readonly Line<Point>[],
  text: (value: number) => string,
): string {
  const parts = lines.map(({ name, of }) => {
    const values = points.map(of).filter((value) => value !== null);
    if (values.length === 0) return `${name}: not known`;
    return `${name}: at most ${text(Math.max(...values))}, at least ${text(Math.min(...values))}`;
  });
  return `The last hour. ${parts.join("; ")}`;
}

function toData<Point extends { readonly atMs: number }>(
  points: readonly Point[],
  lines: readonly Line<Point>[],
): UPlot.AlignedData {
  return [points.map(({ atMs }) => atMs / 1_000), ...lines.map(({ of }) => points.map(of))];
}

function options(
  element: HTMLElement,
  count: number,
  text: (value: number) => string,
  onPoint: (index: number | undefined) => void,
): UPlot.Options {
  const axis = {
    stroke: () => color(element, "axis"),
    grid: { stroke: () => color(element, "grid"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    scales: {
      x: { range: (plot) => hour(plot.data[0]?.[0]) },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        values: [[60, "{HH}:{mm}", null, null, null, null, null, null, 1]],
        space: 70,
        size: 30,
        incrs: [60, 120, 300, 600, 900],
      },
      { ...axis, size: 64, values: (_plot, ticks) => ticks.map(text) },
    ],
    series: [
      {},
      ...Array.from({ length: count }, (_, i) => ({
        stroke: () => color(element, `line-${i}`),
        fill: i === 0 ? () => color(element, "area") : undefined,
        width: 1.6,
        points: { show: false },
      })).map(({ fill, ...series }) => (fill ? { ...series, fill } : series)),
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? undefined)] },
  };
}

/** At most the last hour, and at least five minutes of it: a line that has just begun is not a dot at the edge. */
function hour(firstS: number | undefined): [number, number] {
  const nowS = now.peek() / 1_000;
  return [Math.max(nowS - HOUR_S, Math.min(firstS ?? nowS, nowS - SHORTEST_S)), nowS];
}

/** A colour of the style sheet, by the class that has it. */
function color(element: HTMLElement, name: string): string {
  const probe = document.createElement("i");
  probe.className = name;
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
