import { UserError } from '../../shared/errors.js';

/** The API joins arguments with it. */
const SEPARATOR = ',,';
/** Longest joined text that the API takes, characters. */
const MAX_LENGTH = 512;

const REFUSED = [
  { text: SEPARATOR, why: 'which separates arguments' },
  { text: '，', why: 'which the server turns into a plain comma' },
  ...['&', "'", '"', '<', '>'].map((text) => ({ text, why: 'which the server refuses in arguments' })),
];

/** Arguments as the API wants them. Throws UserError that names an argument which would not arrive as it is. */
export function joinArgs(args: readonly string[]): string {
  for (const arg of args) {
    const refused = REFUSED.find(({ text }) => arg.includes(text));
    if (refused) throw new UserError(`argument ${JSON.stringify(arg)} holds ${refused.text}, ${refused.why}`);
  }
  const joined = args.join(SEPARATOR);
  checkSplitting(args, joined);
  if (joined.length > MAX_LENGTH) {
    throw new UserError(`the arguments have ${joined.length} characters with their separators; ${MAX_LENGTH} fit`);
  }
  return joined;
}

function checkSplitting(args: readonly string[], joined: string): void {
  if (args.length === 0) return;
  if (joined === '') throw new UserError('one empty argument cannot be sent: it looks like no argument');
  const arrived = joined.split(SEPARATOR);
  const broken = args.find((arg, i) => arg !== arrived[i]);
  if (broken !== undefined) {
    throw new UserError(`argument ${JSON.stringify(broken)} ends with a comma, which would move to the next argument`);
  }
}
