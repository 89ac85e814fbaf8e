/** Sizes and times that both ends of a session rely on. PROTOCOL.md explains each. */

/** The session versions this code speaks, best first. */
export const AGENT_VERSIONS = Object.freeze([1] as const);
export const TAIL_VERSIONS = Object.freeze([2, 1] as const);

export const AGENT_PATH = '/ibex/v1/agent';
export const TAIL_PATH = '/ibex/v1/tail';

/** Largest frame either end may send, bytes. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;
/** How much of each stream travels with a result and is stored, bytes. */
export const STORED_TAIL_BYTES = 65_535;
/** Payload of one output frame at most, bytes. */
export const OUTPUT_CHUNK_BYTES = 64 * 1024;
/** Runs named in one `runs` frame at most. */
export const RUNS_PER_FRAME = 1_000;
/** Results an agent may have sent on one session without their acks. */
export const RESULTS_IN_FLIGHT = 32;
/** A session that has not finished its opening by then is closed, milliseconds. */
export const OPENING_TIMEOUT_MS = 10_000;
/** Silence after which either end gives a session up: so many intervals, and never less than `MIN_SILENCE_MS`. */
export const SILENT_INTERVALS = 3;
export const MIN_SILENCE_MS = 3_000;

/** What an agent gives a script's processes between SIGTERM and SIGKILL, unless its KillGrace says otherwise. */
export const DEFAULT_KILL_GRACE_MS = 5_000;
/** How long an agent goes on killing processes that will not die, before it reports that they live. */
export const KILL_SWEEP_MS = 10_000;

export const MAX_HOST_LENGTH = 128;
/** Longest timeout of a task, seconds (five days). */
export const MAX_TIMEOUT_SECONDS = 432_000;
/** Of a task that says 0, seconds. */
export const DEFAULT_TIMEOUT_SECONDS = 30;
