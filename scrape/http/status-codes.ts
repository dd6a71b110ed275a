/**
 * Texts of HTTP's status codes, from Node's HTTP module. An `import` of that module reads all its
 * exports, and some of them load a complete second HTTP client: 1.5 MB for each thread.
 */
export const { STATUS_CODES } = process.getBuiltinModule('node:http');
