import t from 'tap';
import { clearSection, newLedgerTable } from '../../src/model/connection-table.ts';
import { ConnectionLedger } from '../../src/proxy/connection-ledger.ts';

t.test('workers see the sum, and a dead worker leaves nothing behind', async (t) => {
  const table = newLedgerTable(3);
  const [a, b, c] = [0, 1, 2].map((worker) => new ConnectionLedger(table, worker, 99)) as [
    ConnectionLedger,
    ConnectionLedger,
    ConnectionLedger,
  ];
  for (let i = 0; i < 5; i++) a.add('192.0.2.1', 1);
  b.add('192.0.2.1', 1);
  b.add('2001:db8::1', 1);
  t.equal(c.total, 7);
  t.equal(c.of('192.0.2.1'), 6);
  t.equal(c.of('2001:db8::1'), 1);
  t.equal(c.of('198.51.100.9'), 0);
  a.add('192.0.2.1', -1);
  t.equal(c.of('192.0.2.1'), 5);
  clearSection(table, 0);
  t.equal(c.total, 2);
  t.equal(c.of('192.0.2.1'), 1);
});

t.test('it never counts too little, and hardly ever too much', async (t) => {
  const ledger = new ConnectionLedger(newLedgerTable(1), 0, 12_345);
  const addresses = Array.from({ length: 1_000 }, (_, i) => `10.${i >> 8}.${i & 255}.7`);
  for (const address of addresses) ledger.add(address, 1);
  const over = addresses.filter((address) => ledger.of(address) > 1).length;
  t.equal(addresses.filter((address) => ledger.of(address) < 1).length, 0);
  t.ok(over <= 40, `${over} of 1,000 addresses are counted too high`);
});
