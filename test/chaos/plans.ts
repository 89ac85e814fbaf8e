import { journalPrelude } from './journal.ts';
import type { Random } from './random.ts';

/** A task to be made, and what its script would do on a day without trouble. */
export interface Plan {
  readonly number: number;
  readonly kind: Kind;
  readonly hosts: readonly string[];
  readonly script: string;
  readonly stdin: string;
  readonly timeoutS: number;
  /** ms after its creation at which it is killed through the API; undefined: never */
  readonly killAfterMs: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** the script does not end by itself before its timeout */
  readonly overruns: boolean;
}

type Kind = keyof typeof WEIGHTS;

const WEIGHTS = {
  quick: 20,
  code: 12,
  silent: 6,
  chatty: 12,
  slow: 16,
  background: 8,
  piped: 12,
  stdin: 8,
  signal: 5,
  overrun: 5,
  stubborn: 3,
  killed: 12,
} as const;

interface Body {
  readonly text: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly code?: number;
  readonly stdin?: string;
  readonly timeoutS?: number;
  readonly overruns?: boolean;
  readonly killAfterMs?: number;
  readonly interpreter?: string;
}

/** Where a script prints, an executor that is killed may make it fail; of that it says nothing and goes on. */
const TOOLS = 'say() { seq "$1" "$2" 2>/dev/null; }\nerr() { seq "$1" "$2" >&2 2>/dev/null; }\n';

export function drawPlan(random: Random, number: number, hosts: readonly [string, ...string[]], journal: string): Plan {
  const kind = random.weighted(WEIGHTS);
  const body = drawBody(kind, random);
  const several = random.fraction() < 0.3;
  const code = body.code ?? 0;
  return {
    number,
    kind,
    hosts: several
      ? [...new Set([random.one(hosts), ...hosts.filter(() => random.fraction() < 0.7)])]
      : [random.one(hosts)],
    script: `#!${body.interpreter ?? '/bin/sh'}\n${journalPrelude(journal, number)}${TOOLS}${body.text}\nnote E ${code}\n${code === 137 ? 'kill -9 $$' : `exit ${code}`}\n`,
    stdin: body.stdin ?? '',
    timeoutS: body.timeoutS ?? 120,
    killAfterMs: body.killAfterMs,
    stdout: body.stdout ?? '',
    stderr: body.stderr ?? '',
    overruns: body.overruns ?? false,
  };
}

function drawBody(kind: Kind, random: Random): Body {
  switch (kind) {
    case 'quick':
      return printed(random.whole(1, 200), random.whole(0, 20));
    case 'code':
      return { ...printed(random.whole(0, 50), random.whole(0, 50)), code: random.whole(1, 120) };
    case 'silent':
      return { text: ':' };
    case 'chatty':
      return printed(random.whole(20_000, 90_000), random.whole(20_000, 90_000));
    case 'slow':
      return inPieces(random, random.whole(4, 30), random.whole(50, 200));
    case 'background': {
      const ms = random.whole(200, 2_500);
      const foreground = printed(random.whole(1, 100), 0);
      return {
        ...foreground,
        text: `(sleep ${ms / 1_000}; echo late 2>/dev/null; echo late >&2 2>/dev/null) &\n${foreground.text}`,
      };
    }
    case 'piped':
      return piped(random);
    case 'stdin': {
      const stdin = `${sequence(1, random.whole(1, 20_000))}no newline at the end`;
      return { text: 'cat 2>/dev/null', stdin, stdout: stdin };
    }
    case 'signal':
      return { ...printed(random.whole(1, 100), 3), code: 137 };
    case 'overrun':
      return overrun(random, '');
    case 'stubborn':
      return overrun(random, 'trap "" TERM\n');
    case 'killed': {
      // Not for ever: where the script comes to its end before the kill, its child rightly lives on.
      const trap = random.fraction() < 0.4 ? 'trap "" TERM\n(trap "" TERM; sleep 10) &\n' : '';
      const body = inPieces(random, 40, random.whole(50, 150));
      return { ...body, text: trap + body.text, killAfterMs: random.whole(0, 3_000) };
    }
    default:
      return kind satisfies never;
  }
}

function printed(outLines: number, errLines: number): Body {
  const text = `say 1 ${outLines}\nerr 1 ${errLines}`;
  return { text, stdout: sequence(1, outLines), stderr: sequence(1, errLines) };
}

function inPieces(random: Random, pieces: number, pauseMs: number): Body {
  const lines = random.whole(1, 400);
  const text = `i=0
while [ $i -lt ${pieces} ]; do
  say $((i * ${lines} + 1)) $(((i + 1) * ${lines}))
  err $((i * ${lines} + 1)) $(((i + 1) * ${lines}))
  sleep ${pauseMs / 1_000}
  i=$((i + 1))
done`;
  const all = sequence(1, pieces * lines);
  return { text, stdout: all, stderr: all };
}

/** What the script prints goes through a process of its own, which may still have all of it when the script ends. */
function piped(random: Random): Body {
  const printing =
    random.fraction() < 0.5
      ? inPieces(random, random.whole(2, 4), 250)
      : printed(random.whole(1, 5_000), random.whole(1, 5_000));
  const helper = random.one([
    'tee -a /dev/null',
    'cat',
    'while IFS= read -r line; do echo "$line"; done',
    '{ sleep 1; cat; }',
  ]);
  const stream = random.one(['', '2']);
  return {
    ...printing,
    text: `exec ${stream}> >(${helper}${stream === '2' ? ' >&2' : ''})\n${printing.text}`,
    interpreter: '/bin/bash',
  };
}

function overrun(random: Random, trap: string): Body {
  const body = printed(random.whole(1, 2_000), random.whole(1, 2_000));
  return {
    ...body,
    text: `${trap}${body.text}\nsetsid sleep 300 &\nsleep 300 & wait\nsleep 300`,
    overruns: true,
    timeoutS: random.whole(1, 3),
  };
}

function sequence(from: number, to: number): string {
  let text = '';
  for (let number = from; number <= to; number++) text += `${number}\n`;
  return text;
}
