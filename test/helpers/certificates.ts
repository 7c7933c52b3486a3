import { generate } from 'selfsigned';

/** A certificate of its own for one name, valid for 127.0.0.1 and localhost, and its key; both in PEM. */
export async function selfSigned(commonName: string): Promise<{ cert: string; key: string }> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { cert: `${cert}\n`, key: `${key}\n` };
}
