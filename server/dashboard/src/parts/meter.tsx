/** How much of something is used. */
export function Meter({ used, of, label }: { readonly used: number; readonly of: number; readonly label: string }) {
  const share = of > 0 ? Math.min(1, used / of) : 0;
  return (
    <span class="meter" role="img" aria-label={label} title={label}>
      <span class="meter-bar" style={{ width: `${share * 100}%` }} />
    </span>
  );
}
