/**
 * Old field names in manifests, turned into today's on load (reference §3.7). The file keeps the
 * old ones until it is saved for another reason.
 */

type Fields = Record<string, unknown>;

const LOCAL_TYPES = ['local', 'local-cached', 'local-dir-cached'];

/** The fields of a manifest's body as version 1 names them; what is no mapping is returned as it is. */
export function upgradeManifest(body: unknown): unknown {
  if (!isFields(body)) return body;
  const isOldest = body['version'] === undefined;
  const upgraded = upgradeFields(body, isOldest);
  if (isOldest) upgraded['version'] = '1';
  const backends = upgraded['backends'];
  if (isFields(backends) && Array.isArray(backends['storage'])) {
    const storage = backends['storage'].map((item: unknown) => (isFields(item) ? upgradeFields(item, isOldest) : item));
    upgraded['backends'] = { ...backends, storage };
  }
  return upgraded;
}

function upgradeFields(fields: Fields, isOldest: boolean): Fields {
  const result = { ...fields };
  if (isOldest) {
    rename(result, 'signer', 'owner');
    rename(result, 'inner-container', 'reference-container');
    if (LOCAL_TYPES.includes(String(result['type']))) rename(result, 'path', 'location');
    if (result['object'] === undefined) {
      const guess = guessObject(result);
      if (guess !== undefined) result['object'] = guess;
    }
  }
  if (result['type'] === 'http-index') result['type'] = 'http';
  if (result['type'] === 'date-proxy') result['type'] = 'timeline';
  if (Array.isArray(result['subcontainers']) && result['manifest-pattern'] === undefined) {
    result['manifest-pattern'] = { type: 'list', paths: result['subcontainers'] as unknown[] };
    delete result['subcontainers'];
  }
  rename(result, 'infrastructures', 'manifests-catalog');
  return result;
}

/** The first version did not say what a manifest describes. */
function guessObject(fields: Fields): string | undefined {
  if ('backends' in fields) return 'container';
  if ('type' in fields) return 'storage';
  if ('pubkeys' in fields) return 'user';
  return undefined;
}

function rename(fields: Fields, old: string, today: string): void {
  if (!(old in fields)) return;
  if (!(today in fields)) fields[today] = fields[old];
  delete fields[old];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
