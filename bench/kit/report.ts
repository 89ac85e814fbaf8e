import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { median } from './percentiles.js';

/** One answer to one question. `figures` hold units in their names. */
export interface Figure {
  readonly question: string;
  readonly what: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** Hands each answer on as it comes, and keeps it for the table. */
export class Report {
  readonly figures: Figure[] = [];
  readonly #show: (figure: Figure) => void;

  /** By default each answer is a JSON line on stdout, for programs. */
  constructor(show: (figure: Figure) => void = (figure) => process.stdout.write(`${JSON.stringify(figure)}\n`)) {
    this.#show = show;
  }

  add(question: string, what: string, figures: Readonly<Record<string, number>>): void {
    const figure = { question, what, figures };
    this.figures.push(figure);
    this.#show(figure);
  }

  /** Markdown for people. Where a question was asked several times of the same thing, the medians. */
  table(): string {
    const asked = new Map<string, Figure[]>();
    for (const figure of this.figures) {
      const key = `${figure.question} | ${figure.what}`;
      asked.set(key, [...(asked.get(key) ?? []), figure]);
    }
    const rows = [...asked].map(([key, runs]) => `| ${key} | ${runs.length} | ${shown(runs)} |`);
    return ['| question | of | runs | measured (medians) |', '| --- | --- | --- | --- |', ...rows].join('\n');
  }
}

function shown(runs: readonly Figure[]): string {
  const names = Object.keys(runs[0]?.figures ?? {});
  return names.map((name) => `${name} ${median(runs.map(({ figures }) => figures[name] ?? 0))}`).join(', ');
}

/** The machine and the runtime that a measurement ran on. */
export function machine(): Readonly<Record<string, string | number>> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
    ibex: commit(),
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}
