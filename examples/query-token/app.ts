// The whole app: a log-in with HTTP Basic that gives a token, and a route that takes the token from the address as well.
// What it takes to do that without leaking is here too: no query in the log, and a log-in that neither HEAD nor another site can set off.
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { isLatchkeyError, type Latchkey, type LatchkeyOptions, latchkey } from 'latchkey';
import { authorizationOf, guard } from 'latchkey/express';

/** The options of Latchkey, and where the lines of the log go. */
export interface AppOptions extends LatchkeyOptions {
  readonly print?: (line: string) => void;
}

/** The app, with what it needs to be started and stopped. */
export interface App {
  readonly app: Express;
  /** Where the settings say that it listens. */
  readonly settings: { readonly host: string; readonly port: number };
  /** Let go of the database. To be called once nobody is served any more. */
  close(): Promise<void>;
}

/** Build the app. Throws `StartError` with every setting that is wrong. */
export async function buildApp({ print = console.log, ...options }: AppOptions = {}): Promise<App> {
  const auth = await latchkey(options);
  await addAnthony(auth);
  const { required } = guard(auth, {
    from: ['header', 'query'],
    refusal({ code }) {
      // Not the fault of the token: this process has not heard for too long what was revoked. 503, as it comes.
      if (code === 'view_stale') return {};
      const message = code === 'token_missing' ? 'Token is missing!' : 'Token is invalid!';
      return { status: 403, body: { message }, headers: { 'WWW-Authenticate': null } };
    },
  });

  const app = express().disable('x-powered-by').disable('etag');
  app.use(logPath(print), closeAddress);
  app.get('/unprotected', (_, response) => {
    response.json({ message: 'Anyone can view this!' });
  });
  app.get(
    '/protected',
    required((_, __, response) =>
      response.json({ message: 'This is only available for people with valid tokens.' }),
    ),
  );
  app.route('/login').get(logIn(auth)).head(notAllowed).all(notAllowed);
  app.use((_, response) => {
    response.status(404).json({ message: 'There is nothing at this address.' });
  });
  app.use(answerFault(print));
  return { app, settings: auth.settings, close: () => auth.close() };
}

/** The password is `password`, which no sign-up would take: so the hash is given, as `npx latchkey hash` made it. */
async function addAnthony({ users }: Latchkey): Promise<void> {
  const passwordHash =
    '$argon2id$v=19$m=19456,t=2,p=1$tGaIOEkQQybZG2ocJeHF3g$fJxVlyAI/lc4DYvHw2ApOef0JHk8ZC3ulqwAv+GI4YI';
  try {
    await users.add({ username: 'anthony', passwordHash });
  } catch (error) {
    // He has been here since an earlier start.
    if (!isLatchkeyError(error) || error.code !== 'username_taken') throw error;
  }
}

function logIn(auth: Latchkey) {
  return async (request: Request, response: Response): Promise<void> => {
    response.set({ 'Cache-Control': 'no-store', Vary: 'Authorization' });
    // A browser sends remembered credentials by itself: with a link on another site, or ahead of a click that never comes.
    if (request.get('Sec-Fetch-Site') === 'cross-site' || request.get('Sec-Purpose') !== undefined) {
      response.status(403).json({ message: 'Log in from this site, and by yourself.' });
      return;
    }
    try {
      const sent = authorizationOf(request);
      if (sent.scheme !== 'basic') return couldNotVerify(response);
      const device = { userAgent: request.get('User-Agent'), address: request.socket.remoteAddress };
      const { accessToken } = await auth.logIn({ name: sent.name, password: sent.password }, { device });
      response.json({ token: accessToken });
    } catch (error) {
      const isRefused =
        isLatchkeyError(error) && ['invalid_credentials', 'ambiguous_credentials'].includes(error.code);
      if (!isRefused) throw error;
      couldNotVerify(response);
    }
  };
}

function couldNotVerify(response: Response): void {
  response.status(401).set('WWW-Authenticate', 'Basic realm="Login Required"');
  response.type('text').send('Could not verify!');
}

/** Express would answer HEAD as it does GET, and log somebody in who sees no token. */
function notAllowed(_: Request, response: Response): void {
  response.status(405).set({ Allow: 'GET', 'Cache-Control': 'no-store' });
  response.json({ message: 'Log in with GET.' });
}

/** One line for each request: the path, and never the query, in which tokens stand; not either where a client wrote `%3F` for `?`. */
function logPath(print: (line: string) => void): RequestHandler {
  return (request, response, next) => {
    const path = request.path.split(/%3f|[?&;]/i, 1)[0];
    response.on('close', () => print(`${request.method} ${path} ${response.statusCode}`));
    next();
  };
}

/** No page of this app hands its address on, not even one that a token did not open. */
const closeAddress: RequestHandler = (_, response, next) => {
  response.set({ 'Referrer-Policy': 'no-referrer', 'X-Content-Type-Options': 'nosniff' });
  next();
};

/** Express tells its errors by the four parameters. Its own handler would print the whole error. */
function answerFault(print: (line: string) => void): ErrorRequestHandler {
  return (error, _, response, next) => {
    print(
      `error ${isLatchkeyError(error) ? error.code : error instanceof Error ? error.name : typeof error}`,
    );
    if (response.headersSent) {
      next(error);
      return;
    }
    // Such as 503 when too many passwords wait to be checked.
    const { status, message } = isLatchkeyError(error) ? error : { status: 500, message: 'That failed.' };
    if (status === 503) response.set('Retry-After', '1');
    response.status(status).json({ message });
  };
}
