/** Whether a process has not ended yet. */

/** Answers for processes of this machine that are visible from here; one of somebody else's counts. */
export function stillRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
