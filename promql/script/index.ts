/** Test scripts, and the storage that they and rule unit tests run on. */
export { MemoryStorage, type StoredValue } from './memory-storage.ts';
export { ScriptRunner, type Verdict } from './runner.ts';
export { ScriptError } from './script.ts';
export { createScriptEngine } from './settings.ts';
