/** The number of a step, which shows its evidence. */
export function StepButton({
  number,
  known = true,
  show,
  say,
}: {
  number: number;
  known?: boolean;
  show: (n: number, byKey: boolean) => void;
  say?: string;
}) {
  if (!known) return <span className="stepbutton">{number}</span>;
  return (
    <button
      type="button"
      className="stepbutton"
      aria-label={say ?? `Step ${number}: show the evidence`}
      title="Show the evidence"
      onClick={(e) => show(number, e.detail === 0)}
    >
      {say ?? number}
    </button>
  );
}
