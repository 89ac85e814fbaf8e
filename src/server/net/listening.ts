import { describeError, errorCode, UserError } from '../../shared/errors.js';

/** A listener that could not be had, with the reason in words. */
export function cannotListen(
  { host, port }: { readonly host: string; readonly port: number },
  configKey: string,
  error: unknown,
): UserError {
  return new UserError(`cannot listen on ${host}:${port} (${configKey}): ${reason(error)}`, { cause: error });
}

function reason(error: unknown): string {
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return 'the port is taken by another process';
    case 'EACCES':
      return 'permission denied (ports below 1024 need root)';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'this machine has no such address';
    default:
      return describeError(error);
  }
}
