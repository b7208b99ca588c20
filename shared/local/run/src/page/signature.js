// Signature Version 4 for the routes that IAM guards, with the credentials that the local run
// takes. A browser of a deployment never signs: it has no credentials.
import { now } from './clock.js';

const ACCESS_KEY = 'LOCAL';
const SECRET_KEY = 'local';
const SCOPE = ['eu-west-1', 'execute-api', 'aws4_request'];
const ENCODER = new TextEncoder();

/** Sends JSON, signed. */
export async function signedFetch(method, path, body) {
  const text = JSON.stringify(body);
  const stamp = new Date(now()).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const signed = { 'content-type': 'application/json', host: location.host, 'x-amz-date': stamp };
  const names = Object.keys(signed).join(';');
  const headers = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`);
  const request = [method, encodeURI(path), '', headers.join(''), names, await hash(text)].join('\n');
  const scope = [stamp.slice(0, 8), ...SCOPE];
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope.join('/'), await hash(request)].join('\n');
  let key = ENCODER.encode(`AWS4${SECRET_KEY}`);
  for (const part of scope) key = await mac(key, part);
  const signature = hex(await mac(key, toSign));
  const credential = `Credential=${ACCESS_KEY}/${scope.join('/')}`;
  return fetch(path, {
    method,
    body: text,
    headers: {
      'Content-Type': signed['content-type'],
      'X-Amz-Date': stamp,
      Authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}`,
    },
  });
}

const hash = async (text) => hex(await crypto.subtle.digest('SHA-256', ENCODER.encode(text)));

async function mac(key, text) {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return crypto.subtle.sign('HMAC', imported, ENCODER.encode(text));
}

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
