/** A failure that a person caused or can mend. Its message is shown as it is, without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** A peer broke the protocol. `closeCode` is the WebSocket close code that PROTOCOL.md names for it. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly closeCode: number;

  constructor(closeCode: number, message: string) {
    super(message);
    this.closeCode = closeCode;
  }
}

/** The `code` of a Node system error such as ENOENT, or undefined for any other value. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** One line for a log or a person, without a stack. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Where it was thrown, for the log: a fault that nobody expected is found by its stack. */
export function errorStack(error: unknown): string {
  return (error instanceof Error ? error.stack : undefined) ?? String(error);
}
