import { userInfo } from 'node:os';

/** The user the agents run as; scripts run as the same one. */
export const account = userInfo().username;
