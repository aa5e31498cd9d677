export { ApiError, type Problem } from './api-error.ts';
export { createClient, type Client, type ClientOptions } from './client.ts';
export type { Input, OperationId, Output, Schemas } from './types.ts';
export { routes } from './generated/routes.ts';
