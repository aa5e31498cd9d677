export * from './notifications.ts';
export * from './outbox.ts';
export * from './slack.ts';
