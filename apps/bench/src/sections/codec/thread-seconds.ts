/** Node 22.19 and later; the types are those of Node 20. */
const threadUsage = (process as { threadCpuUsage?: () => { user: number; system: number } }).threadCpuUsage;

/** Seconds that this thread has computed, so that a busy machine does not spoil them; the clock where Node cannot say. */
export function threadSeconds(): number {
  if (threadUsage === undefined) return performance.now() / 1000;
  const { user, system } = threadUsage.call(process);
  return (user + system) / 1e6;
}
