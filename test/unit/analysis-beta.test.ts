import t, { type Test } from 'tap';
import { lnBeta, lnGamma, lnIncompleteBeta, lnRegularisedBeta } from '../../src/control/analysis/beta.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

/** Relative where the value is large, absolute where it is small. */
function near(t: Test, found: number, wanted: number, tolerance: number, what: string): void {
  t.ok(Math.abs(found - wanted) <= tolerance * Math.max(1, Math.abs(wanted)), `${what}: ${found}, wanted ${wanted}`);
}

t.test('ln Γ against values of 60 digits', async (t) => {
  for (const [x, wanted] of [
    [1e-5, 11.512919692895826],
    [0.5, 0.5723649429247001],
    [1, 0],
    [1.5, -0.12078223763524522],
    [2, 0],
    [3, Math.LN2],
    [9.99, 12.779315214350193],
    [10, 12.80182748008147],
    [10.5, 13.940625219403763],
    [1e3, 5905.220423209181],
    [1e9, 19723265827.503716],
  ] as const)
    near(t, lnGamma(x), wanted, 1e-13, `x = ${x}`);
});

t.test('ln Γ(x + 1) = ln Γ(x) + ln x, on both sides of where the series begins', async (t) => {
  for (let x = 0.1; x < 30; x += 0.37) near(t, lnGamma(x + 1), lnGamma(x) + Math.log(x), 1e-13, `x = ${x}`);
});

t.test('ln B, where gammas of 10¹⁰ nearly cancel too', async (t) => {
  near(t, lnBeta(0.5, 0.5), Math.log(Math.PI), 1e-13, 'B(½, ½) is π');
  near(t, lnBeta(0.5, 1e9), -9.789267975423506, 1e-13, 'B(½, 10⁹)');
  near(t, lnBeta(1e9, 0.5), -9.789267975423506, 1e-13, 'the other way round');
  near(t, lnBeta(10_003_000.5, 990_000_000), -56015358.85761952, 1e-13, 'both large');
  for (const b of [0.5, 3, 40, 1e6]) near(t, lnBeta(1, b), -Math.log(b), 1e-13, 'B(1, b) is 1/b');
});

t.test('ln I against values of 60 digits, extreme tails and 10⁹ requests included', async (t) => {
  for (const [x, y, a, b, wanted] of [
    [1e-5, 1 - 1e-5, 0.5, 1e9, 0],
    [0.5, 0.5, 5e8, 5e8, -Math.LN2],
    [0.01, 0.99, 10_003_000.5, 990_000_000, -1.7567684211144625],
    [0.001, 0.999, 500.5, 1e6, 0],
    [0.001, 0.999, 1500.5, 1e6, -111.25516689253725],
    [0.01, 0.99, 1e5, 1e5, -322899.61784577504],
    [1e-5, 1 - 1e-5, 100_000.5, 0.5, -1151304.6317861807],
    [0.99, 0.01, 0.5, 0.5, -0.06589256902921659],
    [0.5, 0.5, 1e9, 0.5, -693147191.1473696],
    [0.02, 0.98, 2e7, 980_000_000, -0.6930895106223611],
    [0.001, 0.999, 0.5, 0.5, -3.9052936169690375],
    [1e-5, 1 - 1e-5, 10_000.5, 1e9, -0.6936792750433378],
  ] as const)
    near(t, lnRegularisedBeta(x, y, a, b), wanted, 1e-8, `I_${x}(${a}, ${b})`);
});

t.test('the two sides of I are one', async (t) => {
  const random = new SeededRandom(11);
  for (let i = 0; i < 500; i++) {
    const a = 0.5 + 10 ** (6 * random.next());
    const b = 0.5 + 10 ** (6 * random.next());
    const x = random.next();
    const sum = Math.exp(lnRegularisedBeta(x, 1 - x, a, b)) + Math.exp(lnRegularisedBeta(1 - x, x, b, a));
    near(t, sum, 1, 1e-9, `I_${x}(${a}, ${b})`);
  }
});

t.test('I_x(a, 1) = x^a and I_x(1, b) = 1 − (1 − x)^b', async (t) => {
  for (const x of [1e-5, 0.01, 0.3, 0.5, 0.9]) {
    for (const n of [0.5, 1, 7, 300]) {
      near(t, lnRegularisedBeta(x, 1 - x, n, 1), n * Math.log(x), 1e-12, `I_${x}(${n}, 1)`);
      near(t, lnRegularisedBeta(x, 1 - x, 1, n), Math.log(-Math.expm1(n * Math.log1p(-x))), 1e-12, `I_${x}(1, ${n})`);
    }
  }
});

t.test('nothing below 0, everything above 1', async (t) => {
  t.equal(lnIncompleteBeta(0, 1, 2, 3), Number.NEGATIVE_INFINITY);
  t.equal(lnRegularisedBeta(1, 0, 2, 3), 0);
});
