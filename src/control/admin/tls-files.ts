/**
 * Certificate and key of the admin listener, read and checked together before either is used.
 *
 * A pair that does not fit is found here, at start or at reload, and never while a client shakes hands; what served before goes on. TLS 1.2
 * is the oldest version spoken.
 */
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { AdminConfig } from '../../model/admin-config.ts';
import { OperationError } from '../problems.ts';

/** @throws OperationError config_invalid */
export async function readTlsFiles({ cert, key }: NonNullable<AdminConfig['tls']>): Promise<SecureContextOptions> {
  const options = {
    cert: await read(cert, 'admin.tls.cert'),
    key: await read(key, 'admin.tls.key'),
    minVersion: 'TLSv1.2',
  } as const;
  try {
    createSecureContext(options);
  } catch (error) {
    throw fault('admin.tls', cert, `certificate and key cannot be used together: ${(error as Error).message}`);
  }
  return options;
}

async function read(path: string, field: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw fault(field, path, `cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`);
  }
}

const fault = (field: string, file: string, message: string): OperationError =>
  new OperationError('config_invalid', `${file} ${message}`, [{ field, message, file }]);
