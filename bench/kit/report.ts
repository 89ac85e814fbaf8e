import { cpus, release, totalmem } from 'node:os';

/** One answer to one question. `figures` hold units in their names. */
export interface Figure {
  readonly question: string;
  readonly what: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** Prints each answer as a JSON line, for programs, and keeps it for the table. */
export class Report {
  readonly figures: Figure[] = [];

  add(question: string, what: string, figures: Readonly<Record<string, number>>): void {
    const figure = { question, what, figures };
    this.figures.push(figure);
    process.stdout.write(`${JSON.stringify(figure)}\n`);
  }

  table(): string {
    const rows = this.figures.map(({ question, what, figures }) => {
      const shown = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
      return `| ${question} | ${what} | ${shown.join(', ')} |`;
    });
    return ['| question | of | measured |', '| --- | --- | --- |', ...rows].join('\n');
  }
}

/** What the figures were measured on. */
export function machine(): Readonly<Record<string, string | number>> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
  };
}
