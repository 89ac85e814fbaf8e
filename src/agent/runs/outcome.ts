import type { ResultHead } from '../../shared/protocol/agent-frames.js';
import { readResultHead } from '../../shared/protocol/binary-frames.js';
import type { RunKey } from '../../shared/run-key.js';
import { replaceDurably } from './durable.js';
import { readJsonFile } from './json-file.js';
import { RunFile, type RunsFolder } from './run-folder.js';

/** The outcome of a run, kept in exit.json until a server has stored it, and after that as a tombstone. */
export type Outcome = ResultHead;

export function writeOutcome(runs: RunsFolder, run: RunKey, outcome: Outcome): void {
  replaceDurably(runs.file(run, RunFile.exit), JSON.stringify(outcome));
}

export function readOutcome(runs: RunsFolder, run: RunKey): Outcome | undefined {
  return readJsonFile(runs.file(run, RunFile.exit), readResultHead);
}
