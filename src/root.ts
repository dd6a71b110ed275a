/** The folder of the project, wherever this code runs from: its sources or a bundle of them. */
import path from 'node:path';

export const ROOT = process.env['NARTHEX_ROOT'] ?? path.dirname(import.meta.dirname);
