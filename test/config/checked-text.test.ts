/** What a text that is only checked may read out of the environment. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fileSource } from '../../src/control/change/config-source.ts';
import { ConfigError } from '../../src/control/config/faults.ts';

const ENV = { ADMIN_TOKEN: 'not-for-everybody', PORT: '8080' };

t.test('messages about a text that is only checked show no variable but those of the running files', async (t) => {
  const file = join(t.testdir(), 'sluice.yaml');
  const services = 'services: { shop: { versions: { v1: { endpoints: [ "http://127.0.0.1:3001" ] } } } }\n';
  writeFileSync(file, `listen: ":\${PORT}"\n${services}`);
  const source = fileSource([file], ENV);
  const faultsOf = (text: string): readonly string[] => {
    try {
      source.check(text);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.map(({ message }) => message);
      throw error;
    }
  };
  t.strictSame(faultsOf(`listen: ":\${PORT}"\n${services}`), [], 'a variable that the files name');
  const faults = faultsOf(`listen: "\${ADMIN_TOKEN}"\nworkers: "x\${ADMIN_TOKEN:-y}"\n${services}`);
  t.equal(faults.length, 2);
  t.match(faults, [/may name the variables of the running files/, /not "xy"/]);
  t.notMatch(faults.join(), ENV.ADMIN_TOKEN);
});
