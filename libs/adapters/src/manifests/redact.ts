/**
 * Storage parameters for showing and logging: nothing that opens a door. What a key is called
 * decides, also for types nobody here has heard of; better one harmless value hidden too many.
 */

/** Stands for what is hidden. */
export const HIDDEN = '***';

const SECRET_KEY = /secret|passw|passphrase|token|credential|key|private|auth|identity|signature|cookie/i;

/** A copy of `value` (storage parameters, or any plain data with them) in which secrets are replaced. */
export function redactSecrets<T>(value: T): T {
  return redact(value) as T;
}

/** A URL without its password and query (pre-signed ones have the signature there); other text as it is. */
export function redactUrl(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)([^/?#@]*)@/i, (_, scheme: string, user: string) => {
      const [name] = user.split(':');
      return user.includes(':') ? `${scheme}${name}:${HIDDEN}@` : `${scheme}${user}@`;
    })
    .replace(/^([a-z][a-z0-9+.-]*:\/\/[^?#]*)\?[^#]*/i, `$1?${HIDDEN}`);
}

function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactUrl(value);
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, SECRET_KEY.test(key) ? hide(entry) : redact(entry)]));
}

/** Keeps the shape, so that one sees what is set. */
function hide(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hide);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, hide(entry)]));
  return value === null || value === undefined || typeof value === 'boolean' ? value : HIDDEN;
}
