/**
 * A canvas above the plot that draws one series again, thicker. Drawing all series anew at every
 * movement of the pointer would stand still with thousands of them.
 */
import type uPlot from 'uplot';
import { seriesColor } from './palette.ts';

export class Highlight {
  readonly #plot: uPlot;
  readonly #canvas: HTMLCanvasElement;
  readonly #isDark: boolean;

  constructor(plot: uPlot, isDark: boolean) {
    this.#plot = plot;
    this.#isDark = isDark;
    this.#canvas = document.createElement('canvas');
    this.#canvas.style.cssText =
      'position:absolute;inset:0;width:100%;height:100%;pointer-events:none';
    plot.over.append(this.#canvas);
  }

  /** @param series  index of the row, or -1 for none; @param step  where to put a dot, or -1 */
  show(series: number, step: number): void {
    const u = this.#plot;
    const { clientWidth: width, clientHeight: height } = u.over;
    const scale = window.devicePixelRatio;
    // Setting the size clears.
    this.#canvas.width = width * scale;
    this.#canvas.height = height * scale;
    const values = u.data[series + 1];
    if (series < 0 || values === undefined) return;

    const context = this.#canvas.getContext('2d')!;
    context.scale(scale, scale);
    context.strokeStyle = seriesColor(series, this.#isDark);
    context.fillStyle = context.strokeStyle;
    context.lineWidth = 2.5;
    context.lineJoin = 'round';
    context.beginPath();
    let isDrawing = false;
    for (const [index, value] of values.entries()) {
      if (typeof value !== 'number') {
        isDrawing = false;
        continue;
      }
      const x = u.valToPos(u.data[0][index]!, 'x');
      const y = u.valToPos(value, 'y');
      if (isDrawing) context.lineTo(x, y);
      else context.moveTo(x, y);
      isDrawing = true;
    }
    context.stroke();

    const dotValue = values[step];
    if (typeof dotValue !== 'number') return;
    context.beginPath();
    context.arc(u.valToPos(u.data[0][step]!, 'x'), u.valToPos(dotValue, 'y'), 4.5, 0, 2 * Math.PI);
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = this.#isDark ? '#171d21' : '#ffffff';
    context.stroke();
  }
}
