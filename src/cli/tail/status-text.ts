import type { ShownStatus } from './viewer.js';

/** A status in words: `failed, exit 3`, `timeout, not-started`. */
export function statusText(status: ShownStatus): string {
  const exit = status.exitCode === null ? '' : `, exit ${status.exitCode}`;
  const reason = status.reason === null ? '' : `, ${status.reason}`;
  return `${status.status}${exit}${reason}`;
}
