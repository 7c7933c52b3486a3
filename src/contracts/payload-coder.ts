/** A payload of Temporal as its tools write it in JSON: all bytes in Base64. */
export interface JsonPayload {
  metadata?: Record<string, string> | undefined;
  data?: string | undefined;
}

/** Encodes and decodes payloads of a namespace for Temporal's own tools. */
export interface PayloadCoder {
  namespace: string;
  encode(payloads: readonly JsonPayload[]): Promise<JsonPayload[]>;
  /** @throws KeepapartError `encryption-key-missing` */
  decode(payloads: readonly JsonPayload[]): Promise<JsonPayload[]>;
}
