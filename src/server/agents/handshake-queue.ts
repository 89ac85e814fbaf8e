/** Jobs at once: two for each thread of the pool, so that no thread idles. Other work of the pool waits behind. */
const MAX_AT_ONCE = 8;
/**
 * Openings that wait for their agent's proof. More are not begun: if thousands come at once, it is better that some
 * get through and the others wait than that all are begun and time out together.
 */
const MAX_CHALLENGED = 2_048;
/** After so long the agent is slow, ms, and does not hold up the others any more. */
const ANSWER_MS = 1_000;

type Job = () => Promise<void>;

/**
 * Signs and verifies the openings of sessions, a bounded number at a time. Node's pool of threads does the work, so that
 * API calls need not wait while thousands of agents come at once. At most one job a session waits. Checks come before
 * challenges, so that openings that were begun are finished.
 */
export class HandshakeQueue {
  readonly #nowMs: () => number;
  readonly #challenges = new Map<object, Job>();
  readonly #checks = new Map<object, Job>();
  /** when each was challenged, the oldest first */
  readonly #challenged = new Map<object, number>();
  #running = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Does the job when the session's turn comes. A job must not reject. */
  challenge(session: object, job: Job): void {
    this.#challenges.set(session, job);
    this.start();
  }

  /** Does the job when the session's turn comes. A job must not reject. */
  check(session: object, job: Job): void {
    this.#challenged.delete(session);
    this.#checks.set(session, job);
    this.start();
  }

  /** The session has ended: what has not begun is dropped. */
  forget(session: object): void {
    this.#challenges.delete(session);
    this.#checks.delete(session);
    this.#challenged.delete(session);
  }

  /** Starts what may be started. To be called now and then, because slow agents cease to count. */
  start(): void {
    while (this.#running < MAX_AT_ONCE) {
      const job = takeFirst(this.#checks)?.[1] ?? this.#nextChallenge();
      if (!job) return;
      this.#running++;
      void job().finally(() => {
        this.#running--;
        this.start();
      });
    }
  }

  #nextChallenge(): Job | undefined {
    const nowMs = this.#nowMs();
    for (const [session, atMs] of this.#challenged) {
      if (nowMs - atMs < ANSWER_MS) break;
      this.#challenged.delete(session);
    }
    if (this.#challenged.size >= MAX_CHALLENGED) return undefined;
    const next = takeFirst(this.#challenges);
    if (next) this.#challenged.set(next[0], nowMs);
    return next?.[1];
  }
}

function takeFirst(jobs: Map<object, Job>): [object, Job] | undefined {
  const first = jobs.entries().next();
  if (first.done) return undefined;
  jobs.delete(first.value[0]);
  return first.value;
}
