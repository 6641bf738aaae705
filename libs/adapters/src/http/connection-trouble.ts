/** Why a connection failed, in words for the user, and whether the request may have taken effect (INV-18). */

/** A failed connection. */
export interface ConnectionTrouble {
  /** Of the system, of TLS or of undici; `''` where there is none. */
  readonly code: string;
  /** Half a sentence: what was found and what to do. */
  readonly says: string;
  /** Trying again helps only once somebody has put the certificate right. */
  readonly isCertificate: boolean;
  /** Whether the server may have got the request. */
  readonly mayHaveRun: boolean;
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing accepts connections there; check the address and the port of the endpoint, and whether the server runs',
  ENOTFOUND: 'the host name is unknown; check the endpoint URL, and the connection to the network',
  EAI_AGAIN: 'the host name cannot be looked up at the moment; check the connection to the network',
  EHOSTUNREACH: 'there is no way to the host; check the connection to the network',
  ENETUNREACH: 'there is no way to the host; check the connection to the network',
  ETIMEDOUT: 'the connection timed out; check the connection to the network, and firewalls',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out; check the connection to the network, and firewalls',
  UND_ERR_HEADERS_TIMEOUT: 'it has not answered for 60 seconds',
  UND_ERR_BODY_TIMEOUT: 'it has not sent anything for 60 seconds in the middle of an answer',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  EPROTO: 'it does not speak TLS there; check whether the endpoint URL must begin with http://',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there; check whether the endpoint URL must begin with http://',
};

const CERTIFICATES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; make its authority known with NODE_EXTRA_CA_CERTS',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an unknown authority; make it known with NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from an unknown authority; make it known with NODE_EXTRA_CA_CERTS',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from an unknown authority; make it known with NODE_EXTRA_CA_CERTS',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an unknown authority; make it known with NODE_EXTRA_CA_CERTS',
  CERT_HAS_EXPIRED: 'its certificate has expired; it must be renewed, or the clock of this computer is wrong',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; the clock of this computer may be wrong',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name; check the endpoint URL, or use path style',
};

/** Errors after which the request surely never reached the endpoint. */
const NEVER_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/** What happened to a connection. */
export function connectionTrouble(error: unknown): ConnectionTrouble {
  const code = codeOf(error);
  const certificate = CERTIFICATES[code];
  const noHttp = code.startsWith('HPE_') ? 'it does not speak HTTP there; check the endpoint URL (http:// or https://, port)' : undefined;
  const says = certificate ?? UNREACHABLE[code] ?? noHttp ?? `the connection failed${code === '' ? '' : ` (${plain(code, 40)})`}`;
  return { code, says, isCertificate: certificate !== undefined, mayHaveRun: certificate === undefined && !NEVER_SENT.has(code) };
}

/** The code of an error, or of what caused it. */
export function codeOf(error: unknown): string {
  const { code, cause, name } = (error ?? {}) as { code?: unknown; cause?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  if (name === 'HTTPParserError') return 'HPE_INVALID';
  return cause === undefined || cause === error ? '' : codeOf(cause);
}

/** A foreign text for a sentence of ours: without control characters, and not too long. */
export function plain(text: string, most: number): string {
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
  return clean.length > most ? `${clean.slice(0, most)}…` : clean;
}
