/** Subjects: tokens between dots, `*` for any one of them, `>` for one or more at the end. */

/** Is there a subject that matches both? */
export function subjectsOverlap(a: string, b: string): boolean {
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; ; i++) {
    const one = left[i];
    const other = right[i];
    if (one === undefined || other === undefined) return one === other;
    if (one === '>' || other === '>') return true;
    if (one !== other && one !== '*' && other !== '*') return false;
  }
}
