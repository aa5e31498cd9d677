/** Metrics of a process, and the port at which Prometheus reads them. */
export { Counter, Gauge, Histogram } from 'prom-client';
export { openMetrics } from './metrics.ts';
export type { Metrics, MetricsAddress } from './metrics.ts';
