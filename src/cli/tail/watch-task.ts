import { describeError, UserError } from '../../shared/errors.js';
import type { ServerAddress } from '../api/server-address.js';
import { follow } from './follow.js';
import { JsonViewer } from './json-viewer.js';
import { OutputStream } from './output-stream.js';
import { RawViewer } from './raw-viewer.js';
import { TextViewer } from './text-viewer.js';
import type { Viewer } from './viewer.js';

/** A shell reports this code for a program that wrote to a pipe nobody reads any more. */
const READER_LEFT = 141;

export type ViewMode = 'text' | 'raw' | 'json';

export interface WatchOptions {
  readonly server: ServerAddress;
  readonly taskId: number;
  readonly hosts: readonly string[];
  readonly mode: ViewMode;
  readonly patient: boolean;
}

/** Throws UserError if both flags are given. */
export function viewMode(flags: { readonly json: boolean; readonly raw: boolean }): ViewMode {
  if (flags.json && flags.raw) throw new UserError('--json and --raw exclude each other');
  if (flags.json) return 'json';
  return flags.raw ? 'raw' : 'text';
}

/**
 * Shows a task until its end. Resolves with the exit code: 0 if every host succeeded (and, for raw bytes, none is
 * missing), else 1. Ctrl+C and SIGTERM end the process at once and leave the task running.
 */
export async function watchTask(options: WatchOptions): Promise<number> {
  const stdout = new OutputStream(process.stdout);
  const stderr = new OutputStream(process.stderr);
  using _leaving = leaveOnSignal(options.taskId);
  const followed = await follow({
    ...options,
    viewer: createViewer(options.mode, stdout, stderr),
    signal: stdout.broken,
  });
  await stdout.flush();
  await stderr.flush();
  if (stdout.broken.aborted) {
    if (stdout.readerLeft) return READER_LEFT;
    throw new UserError(`cannot write the output: ${describeError(stdout.broken.reason)}`);
  }
  if (!followed?.ok) return 1;
  return options.mode === 'raw' && followed.incomplete ? 1 : 0;
}

function createViewer(mode: ViewMode, stdout: OutputStream, stderr: OutputStream): Viewer {
  switch (mode) {
    case 'text':
      return new TextViewer(stdout, stderr);
    case 'raw':
      return new RawViewer(stdout, stderr);
    case 'json':
      return new JsonViewer(stdout);
    default:
      throw new Error(`unknown mode ${String(mode satisfies never)}`);
  }
}

function leaveOnSignal(taskId: number): Disposable {
  const leave = (exitCode: number) => () => {
    process.stderr.write(`ibex: task ${taskId} goes on; ibex tail ${taskId} shows it again\n`);
    // At once: standard output may be waiting for a reader that does not read.
    process.exit(exitCode);
  };
  const interrupted = leave(130);
  const terminated = leave(143);
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', terminated);
  return {
    [Symbol.dispose]() {
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', terminated);
    },
  };
}
