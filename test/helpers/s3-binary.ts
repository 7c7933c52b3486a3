import { goBinary } from './go-binary';
import { askFor, offerOnce, type Offer } from './offer';

/** Where a suite asks for the S3 server of its run; set by global-setup.ts. */
export const TEST_S3 = 'KEEPAPART_TEST_S3';

/** The program, built once for all suites of a run by the first that asks. */
export function offerS3(): Promise<Offer> {
  return offerOnce(buildS3Binary);
}

/** Path of the program. Outside of a run of suites, as in an attack, it is built by whoever asks. */
export function s3Binary(): Promise<string> {
  return process.env[TEST_S3] === undefined ? buildS3Binary() : askFor(TEST_S3);
}

/**
 * Path of VersityGW, an S3 server over a folder. It was chosen because it keeps what it has when it is killed, checks
 * conditions of writes under a lock, and starts at once. To build it takes two minutes on two cores.
 */
export function buildS3Binary(): Promise<string> {
  return goBinary({
    package: 'github.com/versity/versitygw/cmd/versitygw',
    version: '1.8.0',
    what: 'the S3 server',
  });
}
