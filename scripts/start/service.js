import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../project.js';
import { end, identify } from './processes.js';

const SHOWN_LOG_LINES = 20;

/** `ibex server` or `ibex agentd`, running with its output in a log file. */
export class Service {
  /** @type {import('node:child_process').ChildProcess} */
  #child;
  /** @type {import('./processes.js').ProcessId | undefined} */
  #id;
  /** @type {string} */
  #log;
  /** @type {string} */
  #role;
  /** resolves with a sentence once it has ended, whoever ended it
   * @type {Promise<string>} */
  ended;

  /**
   * @param {'server' | 'agentd'} role
   * @param {string} config
   * @param {import('./state-folder.js').StateFolder} state
   */
  constructor(role, config, state) {
    this.#role = role;
    this.#log = join(state.path, `${role}.log`);
    const log = openSync(this.#log, 'a');
    this.#child = spawn(join(projectRoot, 'ibex'), [role, '-c', config], {
      cwd: state.path,
      stdio: ['ignore', log, log],
      // A session of its own: the Ctrl+C that ends npm start must not reach it before its turn has come.
      detached: true,
    });
    closeSync(log);
    this.ended = once(this.#child, 'exit').then(([code, signal]) => `ibex ${role} ended (${signal ?? `exit ${code}`})`);
    if (this.#child.pid !== undefined) {
      this.#id = identify(this.#child.pid);
      state.record(this.#child.pid);
    }
  }

  /** The end of its log, for an error message. */
  logTail() {
    const lines = readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-SHOWN_LOG_LINES);
    return `last lines of ${this.#role}'s log:\n  ${lines.join('\n  ')}`;
  }

  /** Resolves once it has ended. */
  async stop() {
    if (this.#id) await end(this.#id);
  }
}
