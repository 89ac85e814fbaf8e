const KIB = 1024;
const MIB = 1024 * KIB;

/** Above this many bytes that a viewer has not read, no agent is asked for more until they have gone. */
export const VIEWER_BUFFER_BYTES = 4 * MIB;

/** Output of one host that may be on its way between server and viewer, bytes. */
export function viewerWindow(hosts: number): number {
  return Math.min(MIB, Math.max(64 * KIB, Math.floor((4 * MIB) / hosts)));
}

/**
 * Output of one host that may be on its way between agent and server, bytes. Small where there are many hosts: what all
 * agents may send at once must fit into the viewer's socket, should the viewer not read.
 */
export function agentWindow(hosts: number): number {
  return Math.min(viewerWindow(hosts), Math.max(128, Math.floor((8 * MIB) / hosts)));
}
