import { describeError } from '../../shared/errors.js';
import type { RunKey } from '../../shared/run-key.js';
import { readAssignment, type Assignment } from '../runs/assignment.js';
import { bootId, monotonicMs } from '../runs/boot.js';
import { claimRun, type Claim } from '../runs/claim.js';
import { faultPoint } from '../runs/fault-point.js';
import type { RunsFolder } from '../runs/run-folder.js';

export interface ClaimedRun {
  readonly claim: Claim;
  readonly assignment: Assignment;
}

export type ClaimedFor = Pick<Claim, 'cluster' | 'host' | 'taskId' | 'clock' | 'timeoutMs'>;

/** Claims runs in the name of one executor. */
export class Claims {
  readonly #runs: RunsFolder;
  readonly #instance: string;
  readonly #onRefused: (run: RunKey, why: string) => void;

  /** `onRefused`: the run's record can't be read or written; there is no claim then. */
  constructor(runs: RunsFolder, instance: string, onRefused: (run: RunKey, why: string) => void) {
    this.#runs = runs;
    this.#instance = instance;
    this.#onRefused = onRefused;
  }

  /** Returns undefined if the run was claimed before or can't be. `read`: its assignment, if the caller has read that. */
  claim(run: RunKey, read: Assignment | undefined): ClaimedRun | undefined {
    try {
      const assignment = read ?? readAssignment(this.#runs, run);
      if (!assignment) throw new Error('its assignment is gone from the disk');
      const claim = this.#newClaim(assignment);
      faultPoint('before-claim');
      const isOurs = claimRun(this.#runs, run, claim);
      faultPoint('claimed');
      return isOurs ? { claim, assignment } : undefined;
    } catch (error) {
      this.#onRefused(run, describeError(error));
      return undefined;
    }
  }

  /** Claims a run that has no assignment yet: the assignment that comes later finds it over. Returns undefined as claim(). */
  writeTombstone(run: RunKey, of: ClaimedFor): Claim | undefined {
    try {
      const claim = this.#newClaim(of);
      return claimRun(this.#runs, run, claim) ? claim : undefined;
    } catch (error) {
      this.#onRefused(run, describeError(error));
      return undefined;
    }
  }

  #newClaim({ cluster, host, taskId, clock, timeoutMs }: ClaimedFor): Claim {
    const now = { bootId: bootId(), claimedMs: Date.now(), claimedMonoMs: monotonicMs() };
    return { format: 1, cluster, host, taskId, clock, timeoutMs, executor: this.#instance, ...now };
  }
}
