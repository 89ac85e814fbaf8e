import meow from 'meow';
import { describeError, UserError } from '../shared/errors.js';
import { didYouMean } from '../shared/nearest-name.js';
import { serverAddress, type ServerAddress } from './api/server-address.js';

/** on: a switch that only `--no-NAME` turns off */
type FlagKind = 'text' | 'texts' | 'switch' | 'on';

export interface FlagSpec<F extends Readonly<Record<string, FlagKind>>> {
  /** name of the command, as in `ibex NAME` */
  readonly command: string;
  /** what `--help` prints after the description that all commands share */
  readonly help: string;
  readonly flags: F;
}

type FlagValue<K extends FlagKind> = K extends 'text'
  ? string | undefined
  : K extends 'texts'
    ? readonly string[]
    : boolean;

export interface ReadFlags<F extends Readonly<Record<string, FlagKind>>> {
  readonly input: readonly string[];
  readonly flags: { readonly [N in keyof F]: FlagValue<F[N]> };
  readonly server: ServerAddress;
}

/** Flags that lead to the server; every command has them. */
const ADDRESS_FLAGS = { url: 'text', user: 'text', password: 'text' } as const;

export const ADDRESS_HELP = `
  Server
    --url URL            default http://127.0.0.1:10090, or IBEX_URL
    --user NAME          default ibex, or IBEX_USER
    --password PASSWORD  default ibex, or IBEX_PASSWORD
`;

/** Reads a command's flags. Throws UserError for one it does not know, or that is used wrongly; `--help` ends the process. */
export function readFlags<const F extends Readonly<Record<string, FlagKind>>>(
  spec: FlagSpec<F>,
  argv: readonly string[],
): ReadFlags<F> {
  const kinds: Readonly<Record<string, FlagKind>> = { ...spec.flags, ...ADDRESS_FLAGS };
  const { input, flags, showHelp } = parse(spec, kinds, argv);
  if (flags['help'] === true) showHelp(0);
  refuseUnknown(spec.command, Object.keys(flags), Object.keys(kinds));
  const values: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(kinds)) values[name] = readValue(name, kind, flags[name]);
  const text = (name: string) => (typeof values[name] === 'string' ? values[name] : undefined);
  return {
    input,
    // Filled above from the kinds of this very spec, one value of the right type a flag.
    flags: values as ReadFlags<F>['flags'],
    server: serverAddress({ url: text('url'), user: text('user'), password: text('password') }, process.env),
  };
}

/** A whole number given as a flag. Throws UserError that names the flag. */
export function integerFlag(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!/^\d{1,9}$/.test(value)) throw new UserError(`--${name} must be a whole number, not ${JSON.stringify(value)}`);
  return Number(value);
}

/** Seconds, or a duration such as 90s, 5m, 2h, 1d. Throws UserError that names the flag. */
export function secondsFlag(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  const [, count, unit = 's'] = /^(\d{1,9})([smhd]?)$/.exec(value) ?? [];
  const seconds = UNIT_SECONDS.get(unit || 's');
  if (count === undefined || seconds === undefined) {
    throw new UserError(`--${name} must be seconds, or a duration like 90s, 5m or 2h, not ${JSON.stringify(value)}`);
  }
  return Number(count) * seconds;
}

const UNIT_SECONDS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
]);

/** Hosts of `--hosts` and `--host`, each of which may be repeated and hold several separated by commas. */
export function hostsFlag(...given: readonly (readonly string[])[]): string[] {
  return given
    .flat()
    .flatMap((list) => list.split(',').map((host) => host.trim()))
    .filter((host) => host !== '');
}

function parse(
  spec: { readonly command: string; readonly help: string },
  kinds: Readonly<Record<string, FlagKind>>,
  argv: readonly string[],
) {
  const flags = Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [
      name,
      kind === 'on'
        ? { type: 'boolean' as const, default: true }
        : { type: kind === 'switch' ? ('boolean' as const) : ('string' as const), isMultiple: kind === 'texts' },
    ]),
  );
  try {
    const result = meow(spec.help + ADDRESS_HELP, {
      importMeta: import.meta,
      argv,
      autoHelp: false,
      autoVersion: false,
      description: false,
      flags: { ...flags, help: { type: 'boolean', shortFlag: 'h' } },
    });
    const values: Readonly<Record<string, unknown>> = result.flags;
    return { input: result.input, flags: values, showHelp: result.showHelp };
  } catch (error) {
    throw new UserError(`${describeError(error)} (ibex ${spec.command} --help)`);
  }
}

function refuseUnknown(command: string, given: readonly string[], known: readonly string[]): void {
  const unknown = given.find((name) => !known.includes(name) && name !== 'help' && name !== 'h');
  if (unknown === undefined) return;
  // meow hands out dry-run as dryRun.
  const typed = unknown.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const shown = typed.length === 1 ? `-${typed}` : `--${typed}`;
  const flags = known.map((name) => `--${name}`);
  throw new UserError(`unknown flag ${shown}${didYouMean(shown, flags)}; ibex ${command} --help lists them`);
}

function readValue(name: string, kind: FlagKind, value: unknown): unknown {
  switch (kind) {
    case 'switch':
    case 'on':
      return value === true;
    case 'text':
      if (value === '') throw new UserError(`--${name} needs a value`);
      return value;
    case 'texts':
      if (Array.isArray(value) && value.includes('')) throw new UserError(`--${name} needs a value`);
      return Array.isArray(value) ? value : [];
    default:
      throw new Error(`unknown kind of flag: ${String(kind satisfies never)}`);
  }
}
