import { readFileSync } from 'node:fs';

let id: string | undefined;

/** Id of the running kernel's boot; another value means that no process of before can be alive. */
export function bootId(): string {
  id ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return id;
}

/** Milliseconds of the monotonic clock, the same in every process of a boot. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
