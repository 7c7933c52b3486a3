/** Options of every call. */
export interface Asked {
  /** Aborts the call, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options of operator calls. */
export interface OperatorCall extends Asked {
  /** The operator's name, stored in the history. Default: the name of the API key, else `anonymous`. */
  by?: string | undefined;
}
