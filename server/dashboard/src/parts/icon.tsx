/** The icons, drawn in the colour of the text beside them. */
const PATHS = {
  overview: "M3 13h4l3-8 4 14 3-6h4",
  queues: "M4 6h16M4 12h16M4 18h10",
  tasks: "M5 5h14v14H5zM9 12l2.2 2.2L15.5 10",
  failures: "M12 4l9 16H3zM12 10v4M12 17v.5",
  workers: "M4 5h16v6H4zM4 13h16v6H4zM8 8h.5M8 16h.5",
  terminal: "M5 7l5 5-5 5M12 17h7",
  copy: "M9 9h10v10H9zM5 15V5h10",
  check: "M5 12.5l4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6L6 18",
  search: "M11 5a6 6 0 100 12 6 6 0 000-12zM15.5 15.5L20 20",
  pause: "M9 6v12M15 6v12",
  keys: "M4 7h16v10H4zM8 11h.5M12 11h.5M16 11h.5M9 14h6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
