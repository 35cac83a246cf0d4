// A strict OAuth server with Google's paths: oidc-provider, unchanged, in Google's place.
//
// Usage: node provider.mjs. NODE_MODULES names a folder that holds oidc-provider 9.13. Prints its base URL, then reads one
// line of JSON from the standard input, {"client_id", "client_secret", "redirect_uri"}, prints "ready", and ends with
// the input. Consent is given to whatever is asked for, as one administrator, without a page. Beside OAuth it answers
// GET /admin/directory/v1/users, and that with a key, to access tokens that it issued itself.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const entry = join(process.env.NODE_MODULES, 'oidc-provider', 'lib', 'index.js');
const { default: Provider } = await import(pathToFileURL(entry));

const ACCOUNT = '100000000000000000001';
const ADMIN = 'admin@acme.test';
const SCOPE = 'https://www.googleapis.com/auth/admin.directory.';
const SCOPES = ['openid', 'email', 'offline_access', `${SCOPE}user.readonly`, `${SCOPE}group.readonly`];

let handle = (request, response) => response.writeHead(503).end();
const server = createServer((request, response) => handle(request, response));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `http://127.0.0.1:${server.address().port}`;

function provider({ client_id, client_secret, redirect_uri }) {
  return new Provider('https://accounts.google.com', {
    clients: [{
      client_id,
      client_secret,
      redirect_uris: [redirect_uri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
    }],
    routes: {
      authorization: '/o/oauth2/v2/auth',
      token: '/token',
      userinfo: '/v1/userinfo',
      jwks: '/oauth2/v3/certs',
      revocation: '/revoke',
    },
    scopes: SCOPES,
    claims: { openid: ['sub', 'hd'], email: ['email', 'email_verified'] },
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    rotateRefreshToken: false,
    features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: async (_, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, hd: 'acme.test', email: ADMIN, email_verified: true }),
    }),
  });
}

async function interact(oidc, request, response) {
  const { prompt, params, session, grantId } = await oidc.interactionDetails(request, response);
  if (prompt.name === 'login') {
    await oidc.interactionFinished(request, response, { login: { accountId: ACCOUNT } });
    return;
  }
  const grant = (grantId && await oidc.Grant.find(grantId))
    || new oidc.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const consent = { grantId: await grant.save() };
  await oidc.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

async function user(oidc, request, response) {
  const bearer = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  const token = await oidc.AccessToken.find(bearer);
  const good = token?.isValid && token.scope.split(' ').includes(`${SCOPE}user.readonly`);
  const admin = {
    id: ACCOUNT,
    primaryEmail: ADMIN,
    customerId: 'C0judge00',
    isAdmin: true,
    name: { givenName: 'Ada', familyName: 'Min', fullName: 'Ada Min' },
  };
  const { pathname } = new URL(request.url, base);
  const found = pathname.endsWith('/users') ? { users: [admin] } : admin;
  const body = good
    ? found
    : { error: { code: 401, message: 'Invalid Credentials', errors: [{ reason: 'authError' }] } };
  response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

console.log(base);
const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => {
  const oidc = provider(JSON.parse(line));
  const callback = oidc.callback();
  handle = (request, response) => {
    const { pathname } = new URL(request.url, base);
    const own = pathname.startsWith('/interaction/') ? interact
      : pathname.startsWith('/admin/directory/v1/users') ? user : null;
    if (!own) return callback(request, response);
    return own(oidc, request, response).catch((error) => response.writeHead(500).end(String(error)));
  };
  console.log('ready');
});
lines.once('close', () => process.exit(0));
