export { createApiClient, ApiError, type ApiClient } from './api-client.ts';
export { runCommand } from './command.ts';
