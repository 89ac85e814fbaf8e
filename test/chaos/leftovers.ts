import { readdirSync, readFileSync } from 'node:fs';

/** Living processes of the scripts of these hosts, each with its command line. */
export function scriptProcesses(hosts: readonly string[]): string[] {
  return processes(({ environment }) => hosts.some((host) => environment.includes(`IBEX_HOST=${host}`)));
}

/** Launchers of a MetaDir, waiting or not, whose executor has died. */
export function strayLaunchers(metaDir: string): string[] {
  const living = new Set(executorProcesses(metaDir).map(Number.parseFloat));
  return processes(
    ({ words, parent }) =>
      words.includes('ibex-run') && words.some((word) => word.startsWith(metaDir)) && !living.has(parent),
  );
}

/** Living executors of a MetaDir. */
export function executorProcesses(metaDir: string): string[] {
  return processes(({ words }) => words.includes('executor') && words.includes(metaDir));
}

function processes(
  wanted: (process: {
    readonly environment: readonly string[];
    readonly words: readonly string[];
    readonly parent: number;
  }) => boolean,
): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const [words, environment] = [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)];
      const task = environment.find((entry) => entry.startsWith('IBEX_TASK_ID=')) ?? '';
      const parent = Number(/^PPid:\t(\d+)$/m.exec(read(`/proc/${pid}/status`).join(''))?.[1]);
      return wanted({ environment, words, parent }) ? [`${pid} ${task} ${words.join(' ')}`.trim()] : [];
    });
}

/** Empty for a process that has gone, is a zombie, or belongs to another account. */
function read(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\0');
  } catch {
    return [];
  }
}
