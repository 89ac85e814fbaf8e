export { until as waitFor } from '../../src/shared/testing/until.ts';
