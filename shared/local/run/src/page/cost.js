// The cost of a request in AWS, from the prices of COST.md.
import { local } from './client.js';
import { contractOnce } from './contract.js';

let known = null;

/** Prices, each function's memory, and which functions mail by Cognito; null without an answer. */
export function readPrices() {
  known ??= read().catch(() => null);
  return known;
}

async function read() {
  const [prices, ready, contract] = await Promise.all([local('prices.json'), local('ready'), contractOnce()]);
  if (prices === null || ready === null || contract === null) return null;
  const tables = new Map(Object.entries(ready.tables).map(([name, own]) => [own, name]));
  const operations = Object.values(contract.paths).flatMap((item) => Object.values(item));
  const memory = new Map();
  const mails = new Set();
  for (const operation of operations) {
    if (!operation?.operationId) continue;
    const name = operation.operationId.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    memory.set(name, operation['x-latchkey']?.memoryMb ?? 256);
    // That a mail cannot be sent is an answer of those that have Cognito send one.
    if ('502' in operation.responses) mails.add(name);
  }
  return { prices, tables, memory, mails };
}

const usd = ({ prices }, name) => prices.prices[name].usd / prices.prices[name].per;

/** Dollars of one AWS call. Cognito is paid by the month and user, so a call of its own is free. */
export function costOfCall(call, told) {
  const { prices, tables, mails } = told;
  if (call.service === 'dynamodb') {
    const [own, index] = call.resource.split('/index/');
    const table = tables.get(own);
    if (['GetItem', 'Query', 'BatchGetItem'].includes(call.action)) {
      return usd(told, 'dynamodb-read') * (call.action === 'Query' || index ? 0.5 : 1);
    }
    return usd(told, 'dynamodb-write') * (prices.units[`${table}:${call.action}`] ?? 2);
  }
  if (call.service === 'ses') return usd(told, 'ses-mail');
  if (call.service === 'kms') return usd(told, 'kms-request');
  if (call.service === 'secretsmanager') return usd(told, 'secret-request');
  if (call.service === 'bedrock-agentcore') return usd(told, 'agentcore-request');
  const mailed = call.action === 'ForgotPassword' || (call.action === 'AdminInitiateAuth' && mails.has(call.function));
  return mailed && call.status === 200 ? usd(told, 'ses-mail') : 0;
}

/** Dollars of a request: its calls, the function's time, and the API before it. */
export function costOfRequest({ door, calls, ms }, told) {
  const made = calls[0]?.function;
  const memoryMb = told.memory.get(made) ?? 256;
  const lambda =
    usd(told, 'lambda-request') + (usd(told, 'lambda-gb-second-arm') * (ms / 1000) * memoryMb) / 1024;
  const api = door === 'http' ? usd(told, 'http-api-request') : 0;
  return calls.reduce((sum, call) => sum + costOfCall(call, told), lambda + api);
}

/** Dollars for a million of them, so that such small sums can be compared. */
export function perMillion(dollars) {
  const amount = dollars * 1_000_000;
  return `$${amount.toLocaleString('en', { maximumFractionDigits: amount < 10 ? 2 : 0 })} a million`;
}
