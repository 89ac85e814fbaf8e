import { DEFAULT_TIMEOUT_SECONDS, MAX_HOST_LENGTH, MAX_TIMEOUT_SECONDS } from '../../shared/protocol/limits.js';
import type { NewTask } from '../tasks/task-service.js';
import { invalid, JsonObject } from './json-object.js';
import { RefusedError } from './request.js';

const FIRST_HOST = ' FH: ';
const MAX_SCRIPT_BYTES = 65_535;
const MAX_STDIN_BYTES = 2 * 1024 * 1024;
/** As it travels to an agent, where some characters take six bytes: with the script it must fit into one frame. */
const MAX_ESCAPED_STDIN_BYTES = 3 * 1024 * 1024;
const MAX_HOSTS = 100_000;
/** The columns hold no more. */
const MAX_COUNT = 4_294_967_295;
const MAX_CHARACTERS = Object.freeze({ title: 255, account: 64, creator: 64, pause: 255, args: 512 } as const);

/**
 * Parses and checks the body of POST /ibex/v1/tasks. Throws RefusedError. The order of the complaints is that of the
 * Go ibex; what concerns the task and not the form of the body is refused with status 200, because Nightingale shows
 * the words to its user only then.
 */
export function parseNewTask(body: string): NewTask {
  const fields = new JsonObject(body);
  const form = {
    title: fields.string('title'),
    account: fields.string('account'),
    batch: fields.integer('batch'),
    tolerance: fields.integer('tolerance'),
    timeout: fields.integer('timeout'),
    pause: fields.string('pause').replaceAll('，', ',').replaceAll(' ', ''),
    script: fields.string('script'),
    args: fields.string('args').replaceAll('，', ','),
    stdin: fields.string('stdin'),
    creator: fields.string('creator'),
    action: fields.string('action'),
    terminal: fields.boolean('terminal'),
  };
  const givenHosts = fields.strings('hosts');
  const missing = ([...REQUIRED, 'hosts'] as const).filter((name) =>
    name === 'hosts' ? !givenHosts : form[name] === '',
  );
  if (missing.length > 0) throw invalid(missing.map((name) => `${name} is required`).join(', '));

  const hosts = cleanHosts(givenHosts ?? []);
  const firstHost = hosts[0];
  if (firstHost === undefined) throw new RefusedError(400, 'arg(hosts) empty');
  for (const name of ['batch', 'tolerance', 'timeout'] as const) {
    if (form[name] < 0) throw refused(`arg(${name}) should be nonnegative`);
  }
  for (const name of ['batch', 'tolerance'] as const) {
    if (form[name] > MAX_COUNT) throw refused(`arg(${name}) more than ${MAX_COUNT}`);
  }
  if (form.timeout > MAX_TIMEOUT_SECONDS) throw refused('arg(timeout) longer than five days');
  for (const name of ['title', 'args', 'pause'] as const) {
    if (/[<>&'"]/.test(form[name])) throw refused(`arg(${name}) is dangerous`);
  }
  const title = `${withoutHost(form.title)}${FIRST_HOST}${firstHost}`;
  checkLengths({ ...form, title });
  checkHosts(hosts);
  if (form.action !== 'start' && form.action !== 'pause') {
    throw refused(`arg(action) must be start or pause, not ${JSON.stringify(form.action)}`);
  }
  return { ...form, title, timeout: form.timeout || DEFAULT_TIMEOUT_SECONDS, action: form.action, hosts };
}

/** A suffix that an earlier task got is taken off. */
function withoutHost(title: string): string {
  const at = title.indexOf(FIRST_HOST);
  return at > 0 ? title.slice(0, at) : title;
}

const REQUIRED = ['title', 'account', 'script', 'action', 'creator'] as const;

function cleanHosts(given: readonly string[]): string[] {
  return given.map((host) => host.trim()).filter((host) => host !== '' && !host.startsWith('#'));
}

function checkLengths(form: Readonly<Record<keyof typeof MAX_CHARACTERS | 'script' | 'stdin', string>>): void {
  if (Buffer.byteLength(form.script) > MAX_SCRIPT_BYTES)
    throw refused(`arg(script) longer than ${MAX_SCRIPT_BYTES} bytes`);
  if (Buffer.byteLength(form.stdin) > MAX_STDIN_BYTES) throw refused(`arg(stdin) longer than ${MAX_STDIN_BYTES} bytes`);
  if (6 * form.stdin.length > MAX_ESCAPED_STDIN_BYTES && escapedBytes(form.stdin) > MAX_ESCAPED_STDIN_BYTES)
    throw refused(`arg(stdin) longer than ${MAX_ESCAPED_STDIN_BYTES} bytes with its control characters escaped`);
  for (const name of ['title', 'account', 'creator', 'pause', 'args'] as const) {
    const max = MAX_CHARACTERS[name];
    if (!fits(form[name], max)) throw refused(`arg(${name}) longer than ${max} characters`);
  }
}

function escapedBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

/** Names that differ only by letter case are one host in a MySQL table, where the second could not be stored. */
function checkHosts(hosts: readonly string[]): void {
  if (hosts.length > MAX_HOSTS) throw refused(`arg(hosts) has more than ${MAX_HOSTS} hosts`);
  const seen = new Map<string, string>();
  for (const host of hosts) {
    if (!fits(host, MAX_HOST_LENGTH))
      throw refused(`arg(hosts): host ${host.slice(0, 40)}... longer than ${MAX_HOST_LENGTH} characters`);
    const folded = host.toLowerCase();
    const other = seen.get(folded);
    if (other === host) throw refused(`arg(hosts): host ${host} is named twice`);
    if (other !== undefined) throw refused(`arg(hosts): ${other} and ${host} are the same host`);
    seen.set(folded, host);
  }
}

/** Characters are counted as people and databases do, so that an emoji is one. */
function fits(text: string, maxCharacters: number): boolean {
  return text.length <= maxCharacters || (text.length <= 2 * maxCharacters && Array.from(text).length <= maxCharacters);
}

function refused(why: string): RefusedError {
  return new RefusedError(200, why);
}
