import { AppError, newId } from '@hoop/contract';
import express, { type Express, type RequestHandler } from 'express';

import type { Context } from '../context.ts';
import { routes } from '../routes.ts';
import { bind, expressPath, type RequestFacts } from './bind.ts';
import { createProblemHandler } from './problem.ts';

/** The HTTP face: every route of the contract, and one answer to what is not one. */
export function createApp(context: Context): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  app.set('query parser', false);
  app.use(identify(context));

  const methods = new Map<string, string[]>();
  for (const one of routes) {
    const { path, method } = one.operation;
    app[method.toLowerCase() as 'get'](expressPath(path), bind(context, one));
    methods.set(path, [...(methods.get(path) ?? []), method]);
  }
  for (const [path, known] of methods) {
    app.all(expressPath(path), () => {
      throw new AppError('method_not_allowed', `Methods allowed here: ${known.join(', ')}.`, { headers: { allow: known.join(', ') } });
    });
  }
  app.use(() => {
    throw new AppError('not_found', 'There is nothing at this path.');
  });
  app.use(createProblemHandler(context.log));
  return app;
}

/** A request id, headers that keep browsers from guessing, and one log line when it is over: no query, no header, no body. */
function identify(context: Context): RequestHandler {
  return (request, response, next) => {
    const facts = response.locals as RequestFacts;
    const started = performance.now();
    facts.requestId = newId('request', context.now());
    response.setHeader('request-id', facts.requestId);
    response.setHeader('x-content-type-options', 'nosniff');
    // RFC 6797 §7.2: not over plain HTTP.
    if (context.config.tls !== undefined) response.setHeader('strict-transport-security', 'max-age=31536000');
    response.once('close', () => {
      const { requestId, operation, actor } = facts;
      const isQuiet = operation === 'getHealth' || operation === 'getReadiness';
      context.log[isQuiet ? 'debug' : 'info'](
        {
          requestId,
          operation,
          actor: actor?.id,
          method: request.method,
          status: response.statusCode,
          isComplete: response.writableFinished,
          ms: Math.round(performance.now() - started),
        },
        'request',
      );
    });
    next();
  };
}
