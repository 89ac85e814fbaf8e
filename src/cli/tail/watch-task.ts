import { fstatSync } from 'node:fs';
import { describeError, UserError } from '../../shared/errors.js';
import { ExitCode } from './exit-codes.js';
import { actionCall, type ServerAddress } from '../api/server-address.js';
import { follow } from './follow.js';
import { JsonViewer } from './json-viewer.js';
import { OutputStream } from './output-stream.js';
import { RawViewer } from './raw-viewer.js';
import { TextViewer } from './text-viewer.js';
import type { Viewer } from './viewer.js';

export type ViewMode = 'text' | 'raw' | 'json';

export interface WatchOptions {
  readonly server: ServerAddress;
  readonly taskId: number;
  readonly hosts: readonly string[];
  readonly mode: ViewMode;
  readonly patient: boolean;
  readonly endAtPause: boolean;
}

/** Throws UserError if both flags are given. */
export function viewMode(flags: { readonly json: boolean; readonly raw: boolean }): ViewMode {
  if (flags.json && flags.raw) throw new UserError('--json and --raw exclude each other');
  if (flags.json) return 'json';
  return flags.raw ? 'raw' : 'text';
}

/**
 * Shows a task until its end. Resolves with the exit code. Ctrl+C and SIGTERM end the process at once and leave the
 * task running.
 */
export async function watchTask(options: WatchOptions): Promise<number> {
  const stdout = new OutputStream(process.stdout);
  const stderr = new OutputStream(process.stderr);
  using _leaving = leaveOnSignal(options);
  const followed = await follow({
    ...options,
    viewer: createViewer(options, stdout, stderr),
    signal: stdout.broken,
  });
  await stdout.flush();
  await stderr.flush();
  if (stdout.broken.aborted) {
    if (stdout.readerLeft) return ExitCode.readerLeft;
    throw new UserError(`cannot write the output: ${describeError(stdout.broken.reason)}`);
  }
  if (followed?.paused) return ExitCode.paused;
  if (!followed?.ok) return ExitCode.failed;
  return options.mode === 'raw' && followed.incomplete ? ExitCode.failed : ExitCode.ok;
}

function createViewer({ mode, server }: WatchOptions, stdout: OutputStream, stderr: OutputStream): Viewer {
  switch (mode) {
    case 'text':
      return new TextViewer(stdout, stderr, {
        oneScreen: isSameFile(1, 2),
        terminal: process.stdout.isTTY,
        call: (taskId, action, host) => actionCall(server, taskId, action, host),
        nowMs: Date.now,
      });
    case 'raw':
      return new RawViewer(stdout, stderr);
    case 'json':
      return new JsonViewer(stdout);
    default:
      throw new Error(`unknown mode ${String(mode satisfies never)}`);
  }
}

function isSameFile(a: number, b: number): boolean {
  const [first, second] = [fstatSync(a), fstatSync(b)];
  return first.dev === second.dev && first.ino === second.ino;
}

function leaveOnSignal({ taskId, server }: WatchOptions): Disposable {
  const leave = (exitCode: number) => () => {
    process.stderr.write(
      `ibex: task ${taskId} goes on; ibex tail ${taskId} shows it again\n` +
        `ibex: to stop it: ${actionCall(server, taskId, 'kill')}\n`,
    );
    // At once: standard output may be waiting for a reader that does not read.
    process.exit(exitCode);
  };
  const interrupted = leave(ExitCode.interrupted);
  const terminated = leave(ExitCode.terminated);
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', terminated);
  return {
    [Symbol.dispose]() {
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', terminated);
    },
  };
}
