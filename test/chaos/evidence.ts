import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fleet } from './fleet.ts';
import type { Subject } from './verify.ts';

/** What is left of a chaos run for whoever looks for the cause of a difference; made with the first thing kept. */
export class Evidence {
  #folder: string | undefined;

  /** Undefined while nothing was kept. */
  get folder(): string | undefined {
    return this.#folder;
  }

  /** A run's folder, what its plan would have printed, and what the server shows. */
  keepRun(fleet: Fleet, { plan, view, stored, journal }: Subject): void {
    const kept = this.#make(`plan-${plan.number}-${view.host}`);
    const { stdout, stderr, ...seen } = view;
    writeFileSync(join(kept, 'seen.json'), JSON.stringify({ plan: plan.number, kind: plan.kind, ...seen, journal }));
    writeFileSync(join(kept, 'script'), plan.script);
    for (const [name, bytes] of Object.entries({ stdout, stderr })) {
      writeFileSync(join(kept, `${name}.seen`), Buffer.concat(bytes));
      writeFileSync(join(kept, `${name}.stored`), stored[name === 'stdout' ? 'stdout' : 'stderr']);
      writeFileSync(join(kept, `${name}.planned`), plan[name === 'stdout' ? 'stdout' : 'stderr']);
    }
    if (journal) copyFiles(fleet.runFolder(view.host, journal.run), join(kept, 'run'));
  }

  /** What a process that should have left waits for, with the folder of a run that its command line names. */
  keepProcess(pid: number): void {
    const kept = this.#make(`process-${pid}`);
    const facts = ['cmdline', 'status', 'wchan', 'stack', 'environ'].map((name) => `--- ${name}\n${read(pid, name)}\n`);
    writeFileSync(join(kept, 'process'), facts.join('') + openFiles(pid));
    const folder = openFiles(pid).match(/ (\/\S+\/runs\/[^/\s]+)\//)?.[1];
    if (folder !== undefined) copyFiles(folder, join(kept, 'run'));
  }

  keepLogs(fleet: Fleet): void {
    const kept = this.#make('logs');
    writeFileSync(join(kept, 'processes'), fleet.logs());
    copyFiles(fleet.logFolder, kept);
    for (const host of fleet.hosts) copyFiles(fleet.metaDir(host), join(kept, host));
  }

  #make(name: string): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'ibex-chaos-kept-'));
    const path = join(this.#folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }
}

/** Plain files only: a pipe would be waited for. */
function copyFiles(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  try {
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      if (entry.isFile()) copyFileSync(join(from, entry.name), join(to, entry.name));
    }
  } catch (error) {
    writeFileSync(join(to, 'not-copied'), String(error));
  }
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8').replaceAll('\0', '\n');
  } catch (error) {
    return String(error);
  }
}

function openFiles(pid: number): string {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map((fd) => `${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}\n`)
      .join('');
  } catch (error) {
    return String(error);
  }
}
