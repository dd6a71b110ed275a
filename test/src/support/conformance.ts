export { conformancePath as conformanceFile } from '../../support/conformance.ts';
