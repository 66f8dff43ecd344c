// The log-in routes: mounted in the server of the house, and in an app that somebody else made, where nothing of that app is touched.
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { House } from '../flows/house.ts';
import { houseOf } from '../latchkey.ts';
import type { Latchkey } from '../library.ts';
import { answerMissing, rememberMethods } from './methods.ts';
import { refuseForeign } from './origins.ts';
import { answerErrors } from './refusals.ts';
import { administrationRoutes } from './routes/administration.ts';
import { discoveryRoutes } from './routes/discovery.ts';
import { oauthRoutes } from './routes/oauth.ts';
import { ownAccountRoutes } from './routes/own-account.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { readFormBodies, readJsonBodies, readShapes, type Shapes } from './shapes.ts';

/**
 * The log-in routes as a plugin of Fastify: `await app.register(routes(auth), { prefix: '/auth' })`. They read and refuse as the server
 * of the house does. The app keeps its own error handlers, parsers and headers, its limits on size and time, and its CORS; give
 * `latchkey()` a `url` with the prefix, so that the metadata leads here. `auth` is closed by whoever opened it.
 */
export function routes<Profile>(auth: Latchkey<Profile>): FastifyPluginAsync {
  const house = houseOf(auth);
  return async (app) => {
    answerErrors(app);
    readShapes(app);
    refuseForeign(app, house.settings);
    // Without a prefix what is missing is the app's to answer.
    if (app.prefix !== '') answerMissing(app, rememberMethods(app));
    await mountApi(app, house);
  };
}

/** Each kind of body in a scope of its own: what a route does not read is refused before it is called. */
export async function mountApi(app: FastifyInstance, house: House): Promise<void> {
  await app.register(async (json) => {
    readJsonBodies(json);
    // Whatever is answered here is about one caller.
    json.addHook('onRequest', async (_, reply) => void reply.header('Cache-Control', 'no-store'));
    const shaped = json.withTypeProvider<Shapes>();
    signInRoutes(shaped, house);
    ownAccountRoutes(shaped, house);
    await shaped.register(async (admin) => administrationRoutes(admin, house));
  });
  await app.register(async (forms) => {
    readFormBodies(forms);
    oauthRoutes(forms.withTypeProvider<Shapes>(), house);
  });
  await app.register(async (open) => {
    open.removeAllContentTypeParsers();
    discoveryRoutes(open, house);
  });
}
