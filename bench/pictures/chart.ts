/**
 * A line chart as an SVG text: axes, lines, dots and words at places of the data.
 *
 * Pictures of the documentation are shown as images, where a page's own colours and scripts do not reach. So a chart brings its light background
 * with it, which is readable on a dark page too; lines are told apart by a word at each of them and by the way they are drawn, not by
 * their colour alone (Okabe and Ito's colours, which differ for every kind of eye). Title and description are for screen readers. A chart
 * library would draw more than is needed here and differently with each of its releases; these pictures are committed, and a test compares
 * them byte by byte, so coordinates are rounded to a tenth of a pixel.
 *
 * Points outside of the axes are drawn at their edge, so that a line that leaves the picture is seen to leave it.
 */
export const COLOURS = {
  blue: '#0072b2',
  orange: '#d55e00',
  green: '#00795b',
  purple: '#a5447c',
  grey: '#6b6b6b',
  ink: '#222222',
} as const;
export type Colour = keyof typeof COLOURS;

export interface Axis {
  readonly label: string;
  readonly scale: 'linear' | 'log';
  readonly from: number;
  readonly to: number;
  /** Values that have a line and a text. */
  readonly ticks: readonly (readonly [number, string])[];
}

export interface ChartOptions {
  readonly title: string;
  /** What there is to be seen, for those who do not see it. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
}

export type Point = readonly [number, number];

export interface Stroke {
  readonly colour: Colour;
  /** Pixels. Default 2. */
  readonly width?: number;
  /** Lengths of dashes and gaps, such as `6 4`. Default: none. */
  readonly dash?: string;
  /** 0 to 1. Default 1. */
  readonly opacity?: number;
  /** Whether a value holds until the next point, where a straight line would claim values in between. Default false. */
  readonly steps?: boolean;
}

export interface Word {
  readonly colour?: Colour;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly bold?: boolean;
  /** Pixels away from the place, to the right and down. */
  readonly shift?: Point;
}

const WIDTH = 760;
const HEIGHT = 400;
const LEFT = 78;
const RIGHT = 40;
const TOP = 52;
const BOTTOM = 58;

export class Chart {
  readonly #options: ChartOptions;
  readonly #parts: string[] = [];

  constructor(options: ChartOptions) {
    this.#options = options;
  }

  line(points: readonly Point[], { colour, width = 2, dash, opacity = 1, steps = false }: Stroke): void {
    const path = points
      .map(([x, y], index) => {
        if (index === 0) return `M${this.#x(x)} ${this.#y(y)}`;
        return steps ? `H${this.#x(x)}V${this.#y(y)}` : `L${this.#x(x)} ${this.#y(y)}`;
      })
      .join('');
    const more =
      (dash === undefined ? '' : ` stroke-dasharray="${dash}"`) + (opacity === 1 ? '' : ` opacity="${opacity}"`);
    this.#parts.push(
      `<path d="${path}" fill="none" stroke="${COLOURS[colour]}" stroke-width="${width}" stroke-linejoin="round"${more}/>`,
    );
  }

  /** @param hollow a ring in place of a disc. */
  dot([x, y]: Point, colour: Colour, hollow = false): void {
    const fill = hollow ? '#fbfbf9' : COLOURS[colour];
    this.#parts.push(
      `<circle cx="${this.#x(x)}" cy="${this.#y(y)}" r="5" fill="${fill}" stroke="${COLOURS[colour]}" stroke-width="2"/>`,
    );
  }

  /** A bar that stands on the bottom of the chart. @param width in units of the x axis. */
  bar([x, y]: Point, width: number, colour: Colour): void {
    const [left, right, top] = [this.#x(x - width / 2), this.#x(x + width / 2), this.#y(y)];
    const height = round(HEIGHT - BOTTOM - top);
    this.#parts.push(
      `<rect x="${left}" y="${top}" width="${round(right - left)}" height="${height}" fill="${COLOURS[colour]}"/>`,
    );
  }

  word(
    [x, y]: Point,
    text: string,
    { colour = 'ink', anchor = 'start', bold = false, shift = [0, 0] }: Word = {},
  ): void {
    const weight = bold ? ';font-weight:600' : '';
    const [left, top] = [round(this.#x(x) + shift[0]), round(this.#y(y) + shift[1])];
    this.#parts.push(
      `<text x="${left}" y="${top}" style="fill:${COLOURS[colour]}${weight}" text-anchor="${anchor}" class="w">${escaped(text)}</text>`,
    );
  }

  toString(): string {
    const { title, description, x, y } = this.#options;
    const bottom = HEIGHT - BOTTOM;
    const grid = [
      ...x.ticks.map(([at, text]) => {
        const left = this.#x(at);
        return `<path d="M${left} ${TOP}V${bottom}" class="g"/><text x="${left}" y="${bottom + 18}" text-anchor="middle">${escaped(text)}</text>`;
      }),
      ...y.ticks.map(([at, text]) => {
        const top = this.#y(at);
        return `<path d="M${LEFT} ${top}H${WIDTH - RIGHT}" class="g"/><text x="${LEFT - 8}" y="${round(top + 4)}" text-anchor="end">${escaped(text)}</text>`;
      }),
    ];
    const middle = round((TOP + bottom) / 2);
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="t d">`,
      `<title id="t">${escaped(title)}</title>`,
      `<desc id="d">${escaped(description)}</desc>`,
      '<style>text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#444}.h{font-size:15px;font-weight:600;fill:#222}' +
        '.g{stroke:#dededa;fill:none}.w{paint-order:stroke;stroke:#fbfbf9;stroke-width:4px}</style>',
      `<rect width="${WIDTH}" height="${HEIGHT}" rx="8" fill="#fbfbf9" stroke="#d0d0cb"/>`,
      `<text x="${LEFT}" y="30" class="h">${escaped(title)}</text>`,
      ...grid,
      `<text x="${round((LEFT + WIDTH - RIGHT) / 2)}" y="${HEIGHT - 14}" text-anchor="middle">${escaped(x.label)}</text>`,
      `<text x="18" y="${middle}" text-anchor="middle" transform="rotate(-90 18 ${middle})">${escaped(y.label)}</text>`,
      ...this.#parts,
      '</svg>',
      '',
    ].join('\n');
  }

  #x(value: number): number {
    return round(LEFT + placeOf(this.#options.x, value) * (WIDTH - LEFT - RIGHT));
  }

  #y(value: number): number {
    return round(HEIGHT - BOTTOM - placeOf(this.#options.y, value) * (HEIGHT - TOP - BOTTOM));
  }
}

/** 0 at the beginning of the axis, 1 at its end. */
function placeOf({ scale, from, to }: Axis, value: number): number {
  const of = scale === 'log' ? Math.log : (plain: number): number => plain;
  return Math.min(1, Math.max(0, (of(value) - of(from)) / (of(to) - of(from))));
}

const round = (value: number): number => Math.round(value * 10) / 10;
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
